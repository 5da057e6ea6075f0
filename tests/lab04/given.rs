//! The code that is given, so that a red test of a step is never its fault.

use std::time::Duration;

use flights::weeks::Week;
use lab04::chart::{Curve, svg, table};
use lab04::curve::{Point, window_end_ms};
use lab04::guard::TooFarAhead;
use lab04::processing_time::{by_event_time, by_processing_time};
use lab04::span::{between, millis};
use testkit::rule;

use super::at_hand::{at, flight, minutes};

#[test]
fn given_every_span_and_every_distance_has_its_milliseconds() {
    rule("A span is rounded down.").same(millis(Duration::from_micros(1_999)), 1);
    rule("A span that is too long is as long as can be.").same(millis(Duration::MAX), i64::MAX);
    rule("From one instant to a later one.").same(between(at("06:00"), at("06:15")), minutes(15));
    rule("There is no way back.").same(between(at("06:15"), at("06:00")), Duration::ZERO);
    rule("The longest way of all.")
        .same(between(i64::MIN, i64::MAX), Duration::from_millis(u64::MAX));
}

#[test]
fn given_a_window_has_its_start_in_it_and_its_end_not() {
    for (instant, end) in [("06:00", "07:00"), ("06:59:59.999", "07:00"), ("07:00", "08:00")] {
        rule("Windows are [start, end), aligned to the epoch.")
            .picture(instant)
            .same(window_end_ms(at(instant)), at(end));
    }
    rule("Before 1970 too.").same(window_end_ms(-1), 0);
    rule("And at the end of time.").same(window_end_ms(i64::MAX), i64::MAX);
}

#[test]
fn given_what_is_too_far_ahead_says_by_how_much() {
    let error = TooFarAhead {
        timestamp_ms: at("08:30"),
        arrived_ms: at("06:10"),
        ahead: minutes(140),
        allowed_ahead: minutes(60),
    };
    rule("Both clocks, the distance and the limit.").same_bytes(
        error.to_string(),
        "event time 2013-02-08T08:30:00Z is 2 h 20 min ahead of the arrival 2013-02-08T06:10:00Z, \
         allowed are 1 h",
    );
}

#[test]
fn given_by_processing_time_two_speeds_give_two_boards() {
    let departed = Week::Calm.load().departed;
    let [slow, fast] = [3_600, 7_200].map(|speed| by_processing_time(&departed, speed, minutes(1)));
    rule("The same week, replayed twice as fast: half as many lines.")
        .same((slow.len(), fast.len()), (3, 2));
    rule("And other figures.").holds(slow[0] != fast[0], "the same first line");
    for board in [slow, fast] {
        let flights: u64 = board.iter().flat_map(|line| line.values()).sum();
        rule("Every flight is on either board.").same(flights, departed.len() as u64);
    }
    rule("Of no flights there is no board.").same(by_processing_time(&[], 1, minutes(1)), vec![]);
}

#[test]
fn given_by_event_time_there_is_one_board() {
    let mut departed = Week::Calm.load().departed;
    let board = by_event_time(&departed);
    departed.reverse();
    rule("The board by event time does not depend on the order of the records.")
        .holds(by_event_time(&departed) == board, "another board");
    let line = by_event_time(&[flight("EWR", "06:10", 0), flight("EWR", "06:50", 70)]);
    rule("A flight counts for the hour of its slot.")
        .same(line.get(&at("07:00")).and_then(|line| line.get("EWR").copied()), Some(2));
}

#[test]
fn given_a_share_of_the_windows_waits_no_longer_than_its_quantile() {
    let waits = |waits_ms: &[i64]| Point {
        bound: minutes(15),
        records: 200,
        late: 20,
        dropped: 10,
        waits_ms: waits_ms.to_vec(),
        open_at_end: 0,
    };
    let ten = waits(&[70, 20, 90, -40, 10, 60, 30, 100, 50, 80]);
    for (percent, expected_ms) in [(0, -40), (10, -40), (11, 10), (50, 50), (90, 90), (91, 100)] {
        rule(
            "The quantile is the smallest wait that so many percent of the windows do not exceed.",
        )
        .picture(format!("waits {:?} ms · {percent} %", ten.waits_ms))
        .same(ten.wait_quantile_ms(percent), Some(expected_ms));
    }
    rule("Of one window every quantile is its own wait.")
        .same(waits(&[7]).wait_quantile_ms(99), Some(7));
    rule("The share that was dropped, of all records.").same(ten.dropped_share(), 0.05);
}

#[test]
fn given_a_curve_is_a_table_and_a_drawing() {
    let point = |bound_min, dropped, wait_min: i64| Point {
        bound: minutes(bound_min),
        records: 100,
        late: 40,
        dropped,
        waits_ms: vec![wait_min * 60_000],
        open_at_end: 1,
    };
    let points = vec![point(0, 22, -4), point(15, 11, 12)];
    let curve = Curve { name: "calm week".to_owned(), points };
    rule("A line a bound; waits have a sign.").same_bytes(
        table(&curve).lines().nth(4).unwrap_or_default(),
        "| 0 min | 40 | 22 (22.0 %) | -4 min | -4 min | 1 |",
    );
    let drawing = svg(&[curve.clone(), Curve { name: "storm week".to_owned(), ..curve }]);
    rule("A page includes the drawing, so it has no empty line and no colour of its own.")
        .holds(!drawing.contains("\n\n") && drawing.ends_with("</svg>\n"), &drawing);
    rule("A disc a point of the first curve and one in the key.")
        .same(drawing.matches("<circle").count(), 3);
    let empty = svg(&[]);
    rule("A drawing of nothing has no number that is none.").holds(!empty.contains("NaN"), empty);
}
