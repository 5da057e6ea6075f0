//! Step 2: what is kept of a window, in a form that can be merged.

use lab05::delays::Delays;
use proptest::collection::vec;
use proptest::prelude::any;
use testkit::{for_all, rule};

use super::at_hand::counted;

/// The figures of some departures, added one by one.
fn figures(delays_min: &[i32]) -> Delays {
    let mut figures = Delays::default();
    for delay_min in delays_min {
        figures.add(*delay_min);
    }
    figures
}

fn merged(one: &Delays, other: &Delays) -> Delays {
    let mut merged = *one;
    merged.merge(other);
    merged
}

#[test]
fn every_departure_counts_with_its_delay() {
    for delays_min in [vec![7], vec![7, 20], vec![7, 20, 0], vec![120, 7, 20, 0]] {
        rule("Count, sum, worst, and how many left more than 15 minutes late.")
            .picture(format!("delays in minutes: {delays_min:?}"))
            .same(figures(&delays_min), counted(&delays_min));
    }
}

#[test]
fn a_flight_that_leaves_early_counts_below_zero() {
    rule("A flight that leaves before its slot makes the sum smaller.")
        .picture("delays in minutes: [10, -4]")
        .same(figures(&[10, -4]).sum_min, 6);
    rule("The worst delay of flights that all left early is below zero.")
        .picture("delays in minutes: [-9, -4, -12]")
        .ask("With which number does this code begin to look for the largest one?")
        .same(figures(&[-9, -4, -12]).worst_min, Some(-4));
}

#[test]
fn fifteen_minutes_are_not_more_than_fifteen() {
    rule("Counted are flights that left *more* than 15 minutes behind their slot.")
        .picture("delays in minutes: [14, 15, 16]")
        .ask("On which side of the limit is the limit itself?")
        .same(figures(&[14, 15, 16]).over_15_min, 1);
}

#[test]
fn of_no_departures_there_is_no_worst_and_no_mean() {
    let nothing = Delays::default();
    rule("Without a departure there is no worst delay.").same(nothing.worst_min, None);
    rule("Without a departure there is no mean delay.")
        .ask("How much is 0.0 / 0.0, and what would a table show of it?")
        .holds(nothing.mean_min().is_none(), format!("{:?}", nothing.mean_min()));
}

#[test]
fn the_mean_is_the_sum_by_the_count() {
    for (delays_min, expected) in
        [(vec![10], 10.0), (vec![10, 11], 10.5), (vec![-1, 0], -0.5), (vec![-7, 7], 0.0)]
    {
        rule("The mean delay is a number with a fraction.")
            .picture(format!("delays in minutes: {delays_min:?}"))
            .ask("Which of the two kinds of division in Rust keeps what lies behind the point?")
            .same(figures(&delays_min).mean_min(), Some(expected));
    }
}

#[test]
fn the_mean_of_two_parts_is_not_the_mean_of_their_means() {
    let (one, three) = ([60], [0, 0, 0]);
    let merged = merged(&figures(&one), &figures(&three));
    rule("The mean over two parts is that of all their flights: each flight counts once.")
        .picture("part 1, delays in minutes: [60]\npart 2, delays in minutes: [0, 0, 0]")
        .ask("How much does the flight of part 1 weigh in this code, and how much one of part 2?")
        .same(merged.mean_min(), Some(15.0));
    rule("And the sum is that of both sums.").same(merged.sum_min, 60);
}

#[test]
fn merging_with_nothing_changes_nothing() {
    let some = figures(&[-3, 20]);
    let nothing = Delays::default();
    for (way, got) in [
        ("some merged with nothing", merged(&some, &nothing)),
        ("nothing merged with some", merged(&nothing, &some)),
    ] {
        rule("A part without departures changes nothing, whichever comes first.")
            .picture(format!("{way} · delays in minutes: [-3, 20]"))
            .ask("Which of the figures may be missing on one side only?")
            .same(got, some);
    }
    rule("Nothing merged with nothing is nothing.").same(merged(&nothing, &nothing), nothing);
}

#[test]
fn the_longest_delays_fit() {
    let delays_min = [i32::MAX, i32::MAX, i32::MAX, i32::MIN];
    rule("The sum of many delays is more than an i32 can say.")
        .picture(format!("delays in minutes: {delays_min:?}"))
        .same(figures(&delays_min), counted(&delays_min));
}

#[test]
fn wherever_departures_are_parted_the_figures_are_the_same() {
    let parts = (vec(any::<i32>(), 0..8), vec(any::<i32>(), 0..8), vec(any::<i32>(), 0..8));
    for_all(parts, |(a, b, c)| {
        let all = counted(&[a.as_slice(), &b, &c].concat());
        let (one, two, three) = (figures(&a), figures(&b), figures(&c));
        let ways = [
            ("(a + b) + c", merged(&merged(&one, &two), &three)),
            ("a + (b + c)", merged(&one, &merged(&two, &three))),
            ("(c + a) + b", merged(&merged(&three, &one), &two)),
        ];
        for (way, got) in ways {
            rule("Parts can be merged in any order and any grouping: the figures are those of all flights.")
                .picture(format!("{way} · delays in minutes: a {a:?}, b {b:?}, c {c:?}"))
                .same(got, all);
        }
    });
}
