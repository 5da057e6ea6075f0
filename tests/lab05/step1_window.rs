//! Step 1: the window that an instant lies in.

use std::time::Duration;

use flights::utc;
use lab05::window::{NoWindow, TumblingWindows, Window};
use proptest::prelude::any;
use testkit::{for_all, rule};
use timeline::instants::Instants;
use timeline::span;

use super::at_hand::{HOUR, at};

fn windows_of(size: Duration) -> TumblingWindows {
    rule("From one millisecond on, every whole number of milliseconds is a size.")
        .picture(format!("windows of {size:?}"))
        .succeeds(TumblingWindows::new(size))
}

/// A window as text, with its whole instants: `[2013-02-08T06:00:00Z, 2013-02-08T07:00:00Z)`.
fn told(window: &Result<Window, NoWindow>) -> String {
    match window {
        Ok(window) => {
            format!("[{}, {})", utc::format(window.start_ms), utc::format(window.end_ms))
        }
        Err(_) => "no window".to_owned(),
    }
}

/// Three windows on the axis of event time, that of an instant in the middle, and where it lies.
fn axis((start_ms, end_ms): (i64, i64), timestamp_ms: i64) -> String {
    const COLUMNS: i64 = 20;

    let size_ms = end_ms - start_ms;
    let starts_ms = [start_ms - size_ms, start_ms, end_ms, end_ms + size_ms];
    let instants = Instants::new(starts_ms);
    let cells = starts_ms.map(|start_ms| format!("{:<20}", instants.text(start_ms)));
    let windows = format!("[{:18})", "").repeat(3);
    let column = COLUMNS + (timestamp_ms - start_ms) * COLUMNS / size_ms;
    let before = " ".repeat(usize::try_from(column).expect("it lies in its window"));
    format!("{}\n{windows}\n{before}●", cells.concat().trim_end())
}

/// The window of an instant must be from one instant to another.
fn lies_in(
    the_rule: &str,
    question: &str,
    size: Duration,
    timestamp_ms: i64,
    expected: (i64, i64),
) {
    let window = Ok(Window { start_ms: expected.0, end_ms: expected.1 });
    let got = windows_of(size).window_of(timestamp_ms);
    rule(the_rule)
        .picture(format!(
            "windows of {} · ● {}\n{}",
            span::text(size),
            utc::format(timestamp_ms),
            axis(expected, timestamp_ms)
        ))
        .ask(question)
        .same_bytes(told(&got), told(&window));
}

#[test]
fn a_window_has_its_start_in_it_and_its_end_not() {
    for (instant, start, end) in [
        ("06:10", "06:00", "07:00"),
        ("06:00", "06:00", "07:00"),
        ("06:59:59.999", "06:00", "07:00"),
        ("07:00", "07:00", "08:00"),
        ("07:00:00.001", "07:00", "08:00"),
    ] {
        lies_in(
            "A window is [start, end): its start lies in it, its end does not.",
            "A flight at the full hour: is it the last of one window, or the first of the next?",
            HOUR,
            at(instant),
            (at(start), at(end)),
        );
    }
}

#[test]
fn the_end_of_one_window_is_the_start_of_the_next() {
    let windows = windows_of(HOUR);
    let one = windows.window_of(at("06:10"));
    let next = windows.window_of(at("07:10"));
    let ends = one.map(|window| utc::format(window.end_ms));
    let starts = next.map(|window| utc::format(window.start_ms));
    rule("Windows follow each other without a gap: the end of one is the start of the next.")
        .picture("06:00      07:00      08:00\n   [ 06:10 )  [ 07:10 )")
        .ask("Which instants between 06:59 and 07:01 are in neither of the two?")
        .same_bytes(ends.unwrap_or_default(), starts.unwrap_or_default());
}

#[test]
fn windows_are_aligned_to_the_epoch() {
    let (minute, day) = (60_000, 86_400_000);
    for (size_ms, timestamp_ms, start_ms) in [
        (60 * minute, 0, 0),
        (day, at("06:10"), at("00:00")),
        (7 * minute, 20 * minute, 14 * minute),
        (5 * 60 * minute, day, 20 * 60 * minute),
        (1, 17, 17),
    ] {
        lies_in(
            "Some window starts at 1970-01-01T00:00:00Z, whatever the size; the others follow from it.",
            "From where does this code count its windows?",
            Duration::from_millis(size_ms.unsigned_abs()),
            timestamp_ms,
            (start_ms, start_ms + size_ms),
        );
    }
}

#[test]
fn before_1970_too() {
    let hour = 3_600_000;
    for (timestamp_ms, start_ms) in
        [(-1, -hour), (-hour, -hour), (-hour - 1, -2 * hour), (-hour / 2, -hour), (0, 0)]
    {
        lies_in(
            "Before 1970 the windows are the same: [start, end), one after the other.",
            "What is -1 % 60 in Rust, and which sign has it? Is there a remainder that is never negative?",
            HOUR,
            timestamp_ms,
            (start_ms, start_ms + hour),
        );
    }
}

#[test]
fn at_the_ends_of_i64_there_is_a_window_or_an_error() {
    let (least, most) = (i64::MIN, i64::MAX);
    let hour = 3_600_000;
    let cases = [
        (1, least, Some((least, least + 1))),
        (1, most - 1, Some((most - 1, most))),
        (1, most, None),
        (hour, least, None),
        (hour, most, None),
        // The first whole hour after i64::MIN, and the last one before i64::MAX.
        (
            hour,
            least + hour - least.rem_euclid(hour),
            Some((-9_223_372_036_854_000_000, -9_223_372_036_850_400_000)),
        ),
        (most, 0, Some((0, most))),
        (most, -1, Some((-most, 0))),
        (most, least, None),
        (most, most, None),
    ];
    for (size_ms, timestamp_ms, expected) in cases {
        let size = Duration::from_millis(size_ms.unsigned_abs());
        let expected = expected.map(|(start_ms, end_ms)| Window { start_ms, end_ms });
        rule("A window that an i64 cannot say is an error: nothing wraps, nothing panics.")
            .picture(format!("windows of {size:?} · {timestamp_ms} ms"))
            .ask("Where would this window begin and end? Which operations give None where the result does not fit?")
            .same_bytes(
                told(&windows_of(size).window_of(timestamp_ms)),
                told(&expected.ok_or(NoWindow { timestamp_ms })),
            );
    }
}

#[test]
fn an_instant_without_a_window_is_named_in_the_error() {
    rule("The error holds the instant.")
        .same(windows_of(HOUR).window_of(i64::MAX), Err(NoWindow { timestamp_ms: i64::MAX }));
}

#[test]
fn a_size_that_no_window_can_have_is_refused() {
    for size in [
        Duration::ZERO,
        Duration::from_nanos(1),
        Duration::from_micros(999),
        Duration::from_micros(1_500),
        Duration::from_millis(1 << 63),
        Duration::MAX,
    ] {
        rule("A size that is zero, has a part of a millisecond, or is longer than an i64 can say is refused.")
            .picture(format!("windows of {size:?}"))
            .ask("How many milliseconds are that for this code, and what would follow from so many?")
            .refuses(TumblingWindows::new(size), "a size error", |error| error.size == size);
    }
    for size_ms in [1, 7, 3_600_000, i64::MAX.unsigned_abs()] {
        windows_of(Duration::from_millis(size_ms));
    }
}

#[test]
fn whatever_the_instant_and_the_size_its_window_holds_it() {
    for_all((any::<i64>(), 1..=i64::MAX), |(timestamp_ms, size_ms)| {
        // In i128, where no window is too far away.
        let (wide_ms, wide_size_ms) = (i128::from(timestamp_ms), i128::from(size_ms));
        let wide_start_ms = wide_ms.div_euclid(wide_size_ms) * wide_size_ms;
        let start_ms = i64::try_from(wide_start_ms).ok();
        let end_ms = i64::try_from(wide_start_ms + wide_size_ms).ok();
        let expected = start_ms
            .zip(end_ms)
            .map(|(start_ms, end_ms)| Window { start_ms, end_ms })
            .ok_or(NoWindow { timestamp_ms });
        let size = Duration::from_millis(size_ms.unsigned_abs());
        rule("Whatever the instant: it lies in one window, of the size, aligned to the epoch.")
            .picture(format!("windows of {size:?} · {timestamp_ms} ms"))
            .ask("On which side of the start of its window does this instant lie?")
            .same_bytes(told(&windows_of(size).window_of(timestamp_ms)), told(&expected));
    });
}
