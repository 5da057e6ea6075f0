//! Step 4: records that come too late for their window, and are not lost without a word.

use std::time::Duration;

use flights::lateness::{self, BOUNDS};
use flights::utc;
use flights::weeks::Week;
use lab04::guard::TooFarAhead;
use lab05::dropped::{DropCounts, DropReason, admit, is_gone};
use lab05::window::{NoWindow, Window};
use proptest::prelude::any;
use testkit::{for_all, rule};
use timeline::{Timeline, span};

use super::at_hand::{HOUR, at, hour_from, hour_of, minutes, shown};

fn told(dropped: bool) -> &'static str {
    if dropped { "dropped" } else { "admitted" }
}

fn gone_or_not(gone: bool) -> &'static str {
    if gone { "gone" } else { "not gone" }
}

/// Whether a window must be gone.
fn is_it_gone(
    the_rule: &str,
    question: &str,
    window: Window,
    (lateness, watermark_ms): (Duration, Option<i64>),
    gone: bool,
) {
    let got = gone_or_not(is_gone(window, lateness, watermark_ms));
    let heading = format!(
        "the hour from {} · allowed lateness {}",
        utc::format(window.start_ms),
        span::text(lateness)
    );
    let mut timeline = Timeline::with_watermarks(&["watermark"]).heading(heading);
    timeline.record("", window.start_ms + 600_000).watermark(None).mark("opens its window");
    if watermark_ms.is_some() {
        timeline.moment("the watermark moves").watermark(watermark_ms);
    }
    let row = timeline.record("", window.start_ms + 1_200_000).watermark(watermark_ms);
    row.mark(format!("its window is {got}"));
    rule(the_rule).picture(timeline.to_string()).ask(question).same_bytes(got, gone_or_not(gone));
}

#[test]
fn a_window_is_gone_when_its_end_and_the_allowed_lateness_are_at_the_watermark() {
    for (lateness, clock, gone) in [
        (Duration::ZERO, "06:59:59.999", false),
        (Duration::ZERO, "07:00", true),
        (minutes(30), "07:00", false),
        (minutes(30), "07:29:59.999", false),
        (minutes(30), "07:30", true),
        (minutes(30), "23:00", true),
    ] {
        is_it_gone(
            "A window is gone when end + allowed lateness <= watermark: neither before that nor after.",
            "Until when may a window be corrected? Put the three numbers in a row.",
            hour_from("06:00"),
            (lateness, Some(at(clock))),
            gone,
        );
    }
}

#[test]
fn before_the_first_watermark_no_window_is_gone() {
    let question = "Which number does this code take for a watermark that there is not?";
    let the_rule = "Where there is no watermark, nobody said that anything was complete.";
    let last_of_1969 = Window { start_ms: -3_600_000, end_ms: 0 };
    for window in [hour_from("06:00"), last_of_1969] {
        is_it_gone(the_rule, question, window, (Duration::ZERO, None), false);
    }
}

#[test]
fn a_late_record_whose_window_is_open_is_admitted() {
    let mut timeline = Timeline::with_watermarks(&["watermark"]).heading("windows of 1 h");
    for (clock, watermark, dropped) in [
        ("06:40", "06:30", false),
        ("06:10", "06:30", false),
        ("06:00", "06:59:59.999", false),
        ("06:59", "07:00", true),
        ("07:00", "07:00", false),
    ] {
        let admitted = admit(at(clock), hour_of(at(clock)), Duration::ZERO, Some(at(watermark)));
        let row = timeline.record("", at(clock)).watermark(Some(at(watermark)));
        row.mark(told(admitted.is_err()));
        rule("A late record is dropped only when its window is gone. Late and dropped are two things.")
            .picture(timeline.to_string())
            .ask("Late is a matter of the record and the watermark. Of which two is it to be dropped?")
            .same_bytes(told(admitted.is_err()), told(dropped));
    }
}

#[test]
fn all_records_of_one_window_have_one_fate() {
    let mut timeline = Timeline::with_watermarks(&["watermark"])
        .heading("windows of 1 h · allowed lateness 30 min");
    for (clock, watermark, dropped) in [
        ("06:05", "07:29:59.999", false),
        ("06:55", "07:29:59.999", false),
        ("06:05", "07:30", true),
        ("06:55", "07:30", true),
    ] {
        let admitted = admit(at(clock), hour_of(at(clock)), minutes(30), Some(at(watermark)));
        let row = timeline.record("", at(clock)).watermark(Some(at(watermark)));
        row.mark(told(admitted.is_err()));
        rule("The allowed lateness is that of a window: all its records are admitted, or none.")
            .picture(timeline.to_string())
            .ask("They are for the same result. From which instant does this code count the half hour?")
            .same_bytes(told(admitted.is_err()), told(dropped));
    }
}

#[test]
fn what_is_dropped_says_what_it_was_and_why() {
    let window = hour_from("06:00");
    let expected =
        DropReason::WindowGone { timestamp_ms: at("06:40"), window, watermark_ms: at("07:35") };
    rule(
        "A dropped record is told with its event time, its window, and the watermark that decided.",
    )
    .ask("Somebody finds this record in a table tomorrow. What will they want to know?")
    .same(admit(at("06:40"), window, minutes(30), Some(at("07:35"))), Err(expected));
}

#[test]
fn dropped_records_are_counted_by_reason() {
    let gone = DropReason::WindowGone {
        timestamp_ms: at("06:40"),
        window: hour_from("06:00"),
        watermark_ms: at("07:35"),
    };
    let too_far_ahead = DropReason::TooFarAhead(TooFarAhead {
        timestamp_ms: at("08:30"),
        arrived_ms: at("06:10"),
        ahead: minutes(140),
        allowed_ahead: HOUR,
    });
    let no_window = DropReason::NoWindow(NoWindow { timestamp_ms: i64::MAX });
    let mut counts = DropCounts::default();
    for reason in [&gone, &too_far_ahead, &gone, &no_window, &gone, &too_far_ahead] {
        counts.add(reason);
    }
    rule("Each reason has a count of its own: one is a matter of the bound, the others of bad records.")
        .picture("window gone, too far ahead, window gone, no window, window gone, too far ahead")
        .ask("Which of these three numbers would a larger bound make smaller?")
    .same(counts, DropCounts { window_gone: 3, too_far_ahead: 2, no_window: 1 });
}

#[test]
fn at_the_ends_of_i64_no_window_is_gone_too_early() {
    let last = Window { start_ms: i64::MAX - 3_600_000, end_ms: i64::MAX };
    let question = "end + lateness: does it fit into an i64? What is left of it if it does not?";
    for (window, lateness, watermark_ms, gone) in [
        (last, HOUR, 0, false),
        (last, HOUR, i64::MAX - 1, false),
        (last, HOUR, i64::MAX, true),
        (hour_from("06:00"), Duration::MAX, at("23:00"), false),
        (hour_from("06:00"), Duration::MAX, i64::MAX, true),
        (Window { start_ms: i64::MIN, end_ms: i64::MIN + 1 }, Duration::ZERO, i64::MIN, false),
        (Window { start_ms: i64::MIN, end_ms: i64::MIN + 1 }, Duration::ZERO, i64::MIN + 1, true),
    ] {
        rule("Nothing wraps; and at the final watermark, i64::MAX, every window is gone.")
            .picture(format!(
                "window until {} ms · allowed lateness {} · watermark {watermark_ms} ms",
                window.end_ms,
                span::text(lateness)
            ))
            .ask(question)
            .same_bytes(
                gone_or_not(is_gone(window, lateness, Some(watermark_ms))),
                gone_or_not(gone),
            );
    }
}

#[test]
fn of_the_real_flights_as_many_are_dropped_as_the_book_says() {
    for week in Week::ALL {
        let departed = week.load().departed;
        for bound in BOUNDS {
            let bound_ms = i64::try_from(bound.as_millis()).expect("a few hours");
            let mut max_ms: Option<i64> = None;
            let mut dropped = 0;
            for flight in &departed {
                let timestamp_ms = flight.scheduled_ms;
                let watermark_ms = max_ms.map(|max_ms| max_ms - bound_ms);
                let window = hour_of(timestamp_ms);
                dropped +=
                    usize::from(admit(timestamp_ms, window, Duration::ZERO, watermark_ms).is_err());
                max_ms = max_ms.max(Some(timestamp_ms));
            }
            rule("Of the flights of a week, as many are dropped as the table in the book says.")
                .picture(format!("{}, bound {}", week.title(), span::text(bound)))
                .ask("In data/lateness-weeks.md late and dropped are counted. Which of the two is it here?")
                .same(dropped, lateness::count(&departed, bound).dropped);
        }
    }
}

#[test]
fn whatever_comes_a_record_is_dropped_when_its_window_is_gone() {
    let (hour, lateness_ms) = (3_600_000_i64, 0..10_000_000_u64);
    for_all(
        (any::<i32>(), -hour..4 * hour, lateness_ms),
        |(timestamp_ms, ahead_ms, lateness_ms)| {
            let timestamp_ms = i64::from(timestamp_ms);
            let watermark_ms = timestamp_ms + ahead_ms;
            let window = hour_of(timestamp_ms);
            let lateness = Duration::from_millis(lateness_ms);
            let gone =
                i128::from(window.end_ms) + i128::from(lateness_ms) <= i128::from(watermark_ms);
            let expected = if gone {
                Err(DropReason::WindowGone { timestamp_ms, window, watermark_ms })
            } else {
                Ok(())
            };
            rule("A record is dropped when its window's end + allowed lateness <= watermark.")
                .picture(format!(
                    "record {} · window until {} · lateness {lateness:?} · watermark {}",
                    shown(Some(timestamp_ms)),
                    shown(Some(window.end_ms)),
                    shown(Some(watermark_ms))
                ))
                .same(admit(timestamp_ms, window, lateness, Some(watermark_ms)), expected);
        },
    );
}
