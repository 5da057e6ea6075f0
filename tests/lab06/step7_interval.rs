//! Step 7, further: how often a checkpoint is made, and what that costs.
//!
//! Invariants:
//! 1. Who recovers too slowly is not chosen, however fast it is.
//! 2. Of the others the fastest is chosen; of two that are as fast, the one with less to do again.

use std::time::Duration;

use lab06::interval::{Cost, choose};
use testkit::rule;

/// Measured costs: interval and worst recovery in milliseconds, records per second.
fn cost((every_ms, records_per_s, recovery_ms): (u64, f64, u64)) -> Cost {
    Cost {
        every: Duration::from_millis(every_ms),
        records_per_s,
        recovery: Duration::from_millis(recovery_ms),
    }
}

/// The interval that is chosen of these, in milliseconds.
fn chosen_ms(costs: &[(u64, f64, u64)], longest_recovery_ms: u64) -> Option<u128> {
    let costs: Vec<Cost> = costs.iter().copied().map(cost).collect();
    let chosen = choose(&costs, Duration::from_millis(longest_recovery_ms));
    chosen.map(|cost| cost.every.as_millis())
}

const MEASURED: [(u64, f64, u64); 4] = [
    (100, 40_000.0, 300),
    (1_000, 90_000.0, 1_300),
    (10_000, 99_000.0, 9_000),
    (60_000, 100_000.0, 52_000),
];

const CURVES: &str = "every     100 ms      1 s     10 s    60 s\n\
                      rate      40,000   90,000   99,000   100,000 records/s\n\
                      recovery   0.3 s    1.3 s    9.0 s    52.0 s";

#[test]
fn the_fastest_of_those_that_recover_in_time_is_chosen() {
    for (longest_recovery_ms, expected) in
        [(400, 100), (1_299, 100), (1_300, 1_000), (10_000, 10_000), (600_000, 60_000)]
    {
        rule("Of the intervals that recover in time, the fastest is chosen.")
            .picture(format!("{CURVES}\nat most  {longest_recovery_ms} ms"))
            .ask("Which columns are left when you strike out what recovers too slowly? `At most` is a bound that may be reached.")
            .same(chosen_ms(&MEASURED, longest_recovery_ms), Some(expected));
    }
}

#[test]
fn where_none_recovers_in_time_none_is_chosen() {
    rule("Where no interval recovers in time, none is chosen: something else has to change.")
        .picture(format!("{CURVES}\nat most  200 ms"))
        .ask("Whoever asked for 200 ms: what do they believe when they are given an interval?")
        .same(chosen_ms(&MEASURED, 200), None);
    rule("Of no intervals none is chosen.")
        .ask("What is the fastest of nothing?")
        .same(chosen_ms(&[], 1_000), None);
}

#[test]
fn of_two_that_are_as_fast_the_shorter_interval_is_chosen() {
    let two = [(5_000, 90_000.0, 1_000), (1_000, 90_000.0, 1_000)];
    let reversed = [two[1], two[0]];
    for costs in [two, reversed] {
        rule("Of two intervals that are as fast, the shorter one has less to do again.")
            .picture("5 s and 1 s, both 90,000 records/s, both recover within 1 s")
            .ask("By rate they are equal. What is left to choose by, and does the order in which they come decide?")
            .same(chosen_ms(&costs, 2_000), Some(1_000));
    }
}

#[test]
fn what_was_measured_need_not_be_in_order() {
    let mut shuffled = MEASURED;
    shuffled.swap(0, 3);
    shuffled.swap(1, 2);
    rule("Costs are measurements, in whatever order they were made; a longer interval may even be slower.")
        .ask("Does your choice rest on the place of an interval in the list?")
        .same(chosen_ms(&shuffled, 10_000), Some(10_000));
    let uneven = [(1_000, 90_000.0, 1_300), (10_000, 85_000.0, 9_000)];
    rule(
        "The fastest is the one with the highest rate, and not the one with the longest interval.",
    )
    .picture("1 s: 90,000 records/s · 10 s: 85,000 records/s; both recover in time")
    .ask("Does a longer interval make a job faster, or does it only usually do so?")
    .same(chosen_ms(&uneven, 10_000), Some(1_000));
}
