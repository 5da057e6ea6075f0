//! The code that is given, so that a red test of a step is never its fault.

use std::time::Duration;

use flights::utc;
use lab04::guard::TooFarAhead;
use lab05::delays::Delays;
use lab05::dropped::{DropCounts, DropReason};
use lab05::firing::{Kept, KeptWindow, WindowState};
use lab05::job::flight_of;
use lab05::tables::{bigint, column, kind};
use lab05::window::{NoWindow, SizeError};
use testkit::rule;

use super::at_hand::{at, flight, hour_from, minutes};

#[test]
fn given_every_instant_has_a_text() {
    for (instant_ms, expected) in [
        (-1, "1969-12-31T23:59:59.999Z"),
        (253_402_300_800_000, "+10000-01-01T00:00:00Z"),
        (i64::MAX, "9223372036854775807 ms"),
        (i64::MIN, "-9223372036854775808 ms"),
    ] {
        rule("An instant that no calendar holds is written as its number.")
            .same_bytes(utc::format(instant_ms), expected);
    }
}

#[test]
fn given_a_dropped_record_says_what_it_was_and_why() {
    let gone = DropReason::WindowGone {
        timestamp_ms: at("06:40"),
        window: hour_from("06:00"),
        watermark_ms: at("07:05"),
    };
    let too_far_ahead = DropReason::TooFarAhead(TooFarAhead {
        timestamp_ms: at("08:30"),
        arrived_ms: at("06:10"),
        ahead: minutes(140),
        allowed_ahead: minutes(60),
    });
    let no_window = DropReason::NoWindow(NoWindow { timestamp_ms: i64::MAX });
    for (reason, expected) in [
        (
            gone,
            "event time 2013-02-08T06:40:00Z: its window ended at 2013-02-08T07:00:00Z and is \
             gone at watermark 2013-02-08T07:05:00Z",
        ),
        (
            too_far_ahead,
            "event time 2013-02-08T08:30:00Z is 2 h 20 min ahead of the arrival \
             2013-02-08T06:10:00Z, allowed are 1 h",
        ),
        (
            no_window,
            "no window for event time 9223372036854775807 ms: it would begin or end outside of \
             what an i64 can say",
        ),
    ] {
        rule("A reason is a sentence with the event time and what it was held against.")
            .same_bytes(reason.to_string(), expected);
    }
}

#[test]
fn given_a_size_that_is_refused_is_said_as_it_was_given() {
    for (size, shown) in [
        (Duration::ZERO, "0ns"),
        (Duration::from_micros(1_500), "1.5ms"),
        (Duration::MAX, "18446744073709551615.999999999s"),
    ] {
        let expected = format!(
            "windows of {shown}: expected a whole number of milliseconds, from 1 to \
             9223372036854775807"
        );
        rule("What was expected and what was found.")
            .same_bytes(SizeError { size }.to_string(), expected);
    }
}

#[test]
fn given_the_gauges_count_windows_and_records() {
    let kept = |count| Kept { delays: Delays { count, ..Delays::default() }, revision: 0 };
    let window = |has_fired, first, second| KeptWindow {
        has_fired,
        by_key: [("EWR".to_owned(), kept(first)), ("JFK".to_owned(), kept(second))].into(),
    };
    let state = WindowState {
        windows: [
            (hour_from("06:00"), window(true, 1, 2)),
            (hour_from("07:00"), window(false, 4, 8)),
            (hour_from("08:00"), window(false, 16, 32)),
        ]
        .into(),
    };
    rule("Kept are all windows, open those that have not fired.")
        .same((state.kept(), state.open()), (3, 2));
    rule("Only records of windows that have not fired wait for a result.")
        .same(state.records_in_open(), 4 + 8 + 16 + 32);
}

#[test]
fn given_dropped_records_are_summed_over_all_reasons() {
    let counts = DropCounts { window_gone: 1, too_far_ahead: 2, no_window: 4 };
    rule("All of them.").same(counts.total(), 7);
}

#[test]
fn given_a_flight_has_an_arrival_of_these_years() {
    let flown = flight("EWR", at("06:10"), 5);
    let payload = lab01::event::encode(&flown).expect("it is a flight");
    let the_rule = "A flight arrives from 1970 to 2099; a time beyond would disarm the guard.";
    for arrived_ms in [0, flown.departed_ms(), 4_102_444_799_999] {
        rule(the_rule).same(flight_of(&payload, arrived_ms), Ok(flown.clone()));
    }
    for arrived_ms in [i64::MIN, -1, 4_102_444_800_000, i64::MAX] {
        let reason = format!("record with timestamp {arrived_ms}, expected one of 1970 to 2099");
        rule(the_rule).same(flight_of(&payload, arrived_ms), Err(reason));
    }
    rule("What is no JSON is no flight.").refuses(flight_of(b"a flight", 0), "a reason", |_| true);
}

#[test]
fn given_the_column_of_the_reason_has_a_word_of_its_own_for_each() {
    let gone =
        DropReason::WindowGone { timestamp_ms: 0, window: hour_from("06:00"), watermark_ms: 0 };
    let (ahead, allowed_ahead) = (minutes(140), minutes(60));
    let too_far_ahead = TooFarAhead { timestamp_ms: 0, arrived_ms: 0, ahead, allowed_ahead };
    let reasons = [gone, too_far_ahead.into(), NoWindow { timestamp_ms: 0 }.into()];
    rule("One word for all records of a kind, to be counted by.")
        .same(column(&reasons, kind), vec!["window_gone", "too_far_ahead", "no_window"]);
}

#[test]
fn given_a_count_that_no_table_holds_is_the_largest_that_one_does() {
    let counts = [0, 7, i64::MAX.unsigned_abs(), u64::MAX];
    rule("A bigint ends at i64::MAX.").same(counts.map(bigint), [0, 7, i64::MAX, i64::MAX]);
}
