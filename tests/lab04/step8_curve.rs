//! Step 8: completeness against latency.

use std::collections::BTreeSet;
use std::time::Duration;

use flights::Flight;
use flights::lateness::{self, BOUNDS};
use flights::weeks::Week;
use lab04::curve::{Point, measure, window_end_ms};
use lab04::span::millis;
use testkit::rule;
use timeline::{Timeline, span};

use super::at_hand::{flight, minutes};

/// Flights of one airport in arrival order: slot and delay.
fn departures(each: &[(&str, i32)]) -> Vec<Flight> {
    each.iter().map(|(slot, delay_min)| flight("EWR", slot, *delay_min)).collect()
}

fn picture(flights: &[Flight], bound: Duration) -> String {
    let heading = format!("bound {} · windows of 1 h", span::text(bound));
    let mut timeline =
        Timeline::with_watermarks(&["arrived", "watermark after it"]).heading(heading);
    for (index, flight) in flights.iter().enumerate() {
        timeline
            .record("", flight.scheduled_ms)
            .watermark(Some(flight.departed_ms()))
            .watermark(watermark_after(&flights[..=index], bound));
    }
    timeline.to_string()
}

/// The watermark behind some records, written without the learner's own code.
fn watermark_after(flights: &[Flight], bound: Duration) -> Option<i64> {
    let max_ms = flights.iter().map(|flight| flight.scheduled_ms).max();
    max_ms.map(|max_ms| max_ms - millis(bound))
}

fn waits_min(point: &Point) -> Vec<i64> {
    point.waits_ms.iter().map(|wait_ms| wait_ms / 60_000).collect()
}

/// What a handful of flights cost: `waits [20] min, dropped 1`.
fn told(point: &Point) -> String {
    format!("waits {:?} min, dropped {}", waits_min(point), point.dropped)
}

#[test]
fn late_and_dropped_are_those_of_the_book() {
    for week in Week::ALL {
        let departed = week.load().departed;
        for bound in BOUNDS {
            let point = measure(&departed, bound);
            let expected = lateness::count(&departed, bound);
            let told = |late, dropped| {
                format!("{} records, {late} late, {dropped} dropped", departed.len())
            };
            rule("Of the flights of a week, so many are late and so many dropped as the book's table says.")
                .picture(format!("{}, bound {}", week.title(), span::text(bound)))
                .ask("A record is dropped when its window *has* ended. Which watermark decides: the one before the record, or after it? And is the end of a window in it?")
                .same_bytes(
                    told(point.late, point.dropped),
                    told(expected.late as u64, expected.dropped as u64),
                );
        }
    }
}

#[test]
fn a_result_waits_from_the_end_of_its_window_to_the_record_that_fires_it() {
    let flights =
        departures(&[("06:10", 0), ("06:50", 5), ("07:10", 2), ("07:15", 20), ("08:30", 1)]);
    let point = measure(&flights, minutes(15));
    rule("The wait of a result: from the end of its window to the arrival of the record that fired it.")
        .picture(picture(&flights, minutes(15)))
        .ask("Which record moved the watermark to 07:00, and when did it arrive?")
        .same_bytes(told(&point), "waits [35, 31] min, dropped 0");
    rule("The window of the last record is still open.").same(point.open_at_end, 1);
}

#[test]
fn a_result_may_come_before_its_window_ends() {
    let flights = departures(&[("06:10", 0), ("07:00", -12)]);
    let point = measure(&flights, Duration::ZERO);
    rule("Event time may run ahead of the clock: then a window fires before its end, and the wait is negative.")
        .picture(picture(&flights, Duration::ZERO))
        .ask("The flight of the slot 07:00 left at 06:48. What did the watermark say then?")
        .same_bytes(told(&point), "waits [-12] min, dropped 0");
}

#[test]
fn a_window_fires_when_the_watermark_is_at_its_end() {
    let flights = departures(&[("06:10", 0), ("07:14", 0), ("07:15", 0), ("06:59", 30)]);
    let point = measure(&flights, minutes(15));
    rule("A window fires, and is gone, as soon as its end is at the watermark: end <= watermark.")
        .picture(picture(&flights, minutes(15)))
        .ask("After which record is the watermark exactly 07:00?")
        .same_bytes(told(&point), "waits [15] min, dropped 1");
}

#[test]
fn a_late_record_may_be_the_first_of_its_window() {
    let flights = departures(&[("08:10", 0), ("07:50", 25), ("08:20", 0)]);
    let point = measure(&flights, minutes(15));
    rule("A record is dropped when its window is gone. A window that nobody has opened yet is not gone.")
        .picture(picture(&flights, minutes(15)))
        .ask("When 07:50 came, where was the watermark, and where is the end of its window?")
        .same_bytes(told(&point), "waits [20] min, dropped 0");
}

#[test]
fn a_dropped_record_opens_no_window_again() {
    let flights = departures(&[("06:10", 0), ("07:20", 0), ("06:30", 60), ("08:20", 0)]);
    let point = measure(&flights, minutes(15));
    rule("A window fires once. What comes for it afterwards is dropped, and fires nothing.")
        .picture(picture(&flights, minutes(15)))
        .ask("What happens in this code to the window of a record that was dropped?")
        .same_bytes(told(&point), "waits [20, 20] min, dropped 1");
}

#[test]
fn windows_that_fire_together_fire_in_order() {
    let flights = departures(&[("08:10", -120), ("06:10", 10), ("07:10", 0), ("12:00", 0)]);
    let point = measure(&flights, minutes(180));
    rule("One record may fire several windows. The earliest comes first.")
        .picture(picture(&flights, minutes(180)))
        .ask("In which order does this code give out the windows that it holds?")
        .same_bytes(told(&point), "waits [300, 240, 180] min, dropped 0");
}

#[test]
fn every_window_of_a_week_is_accounted_for() {
    for week in Week::ALL {
        let departed = week.load().departed;
        for bound in BOUNDS {
            let point = measure(&departed, bound);
            let (waits_ms, open_at_end) = one_window_at_a_time(&departed, bound);
            let rule_text =
                "Each window with a record that was not dropped fires once or is open at the end.";
            rule(rule_text)
                .picture(format!("{}, bound {}", week.title(), span::text(bound)))
                .ask("Which windows are left in this code when the last record has been read?")
                .same((point.waits_ms.len(), point.open_at_end), (waits_ms.len(), open_at_end));
            rule("The waits of a week, in the order of firing.")
                .picture(format!("{}, bound {}", week.title(), span::text(bound)))
                .holds(point.waits_ms == waits_ms, "other waits, or another order");
        }
    }
}

/// The same figures in another way: for each window, the first record that takes the watermark to its
/// end.
fn one_window_at_a_time(flights: &[Flight], bound: Duration) -> (Vec<i64>, u64) {
    let mut max_ms = i64::MIN;
    let watermarks_ms: Vec<i64> = flights
        .iter()
        .map(|flight| {
            max_ms = max_ms.max(flight.scheduled_ms);
            max_ms - millis(bound)
        })
        .collect();
    let ends_ms: BTreeSet<i64> =
        flights.iter().map(|flight| window_end_ms(flight.scheduled_ms)).collect();
    let mut fired = Vec::new();
    let mut open = 0;
    for end_ms in ends_ms {
        let fires_at = watermarks_ms.iter().position(|watermark_ms| *watermark_ms >= end_ms);
        let until = fires_at.map_or(flights.len(), |index| index + 1);
        let holds = |flight: &Flight| window_end_ms(flight.scheduled_ms) == end_ms;
        match fires_at {
            // A window that no record had reached when it was already gone.
            _ if !flights[..until].iter().any(holds) => {}
            Some(index) => fired.push((index, end_ms)),
            None => open += 1,
        }
    }
    fired.sort_unstable();
    let wait_ms = |(index, end_ms): (usize, i64)| flights[index].departed_ms() - end_ms;
    (fired.into_iter().map(wait_ms).collect(), open)
}

#[test]
fn who_waits_longer_drops_less() {
    for week in Week::ALL {
        let departed = week.load().departed;
        let points = BOUNDS.map(|bound| measure(&departed, bound));
        for pair in points.windows(2) {
            let cost = |point: &Point| (point.dropped, point.wait_quantile_ms(50));
            rule("A larger bound drops fewer records, and its results come later.")
                .picture(format!(
                    "{}: bounds {:?} and {:?}",
                    week.title(),
                    pair[0].bound,
                    pair[1].bound
                ))
                .holds(
                    pair[1].dropped < pair[0].dropped && cost(&pair[1]).1 > cost(&pair[0]).1,
                    format!(
                        "(dropped, median wait in ms): {:?} and {:?}",
                        told(&pair[0]),
                        told(&pair[1])
                    ),
                );
        }
    }
}

#[test]
fn of_no_flights_at_all_nothing_is_late() {
    let point = measure(&[], minutes(15));
    rule("No flights: no windows, no waits, and a share of nothing.").same(
        (point.records, point.late, point.dropped, point.waits_ms.len(), point.open_at_end),
        (0, 0, 0, 0, 0),
    );
    rule("The share of nothing is nothing.").same(point.dropped_share(), 0.0);
    rule("Where no window has fired, nobody has waited.").same(point.wait_quantile_ms(50), None);
}
