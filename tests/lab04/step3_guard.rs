//! Step 3: a guard against times from the future.

use std::time::Duration;

use flights::weeks::Week;
use flights::{Generator, utc};
use lab04::guard::{ALLOWED_AHEAD, Guard, TooFarAhead, admit};
use lab04::lateness::{Arrivals, Counts};
use testkit::rule;
use timeline::Timeline;

use super::at_hand::{at, minutes, shown};

/// 2031-01-01T00:00:00Z.
const YEAR_2031_MS: i64 = 1_924_992_000_000;

fn told(passes: bool) -> &'static str {
    if passes { "passes" } else { "is refused" }
}

#[test]
fn a_record_too_far_ahead_of_its_arrival_is_refused_and_counted() {
    let mut guard = Guard::new(minutes(60));
    let refused = guard.check(YEAR_2031_MS, at("06:10"));
    let ahead = Duration::from_millis(YEAR_2031_MS.abs_diff(at("06:10")));
    let expected = TooFarAhead {
        timestamp_ms: YEAR_2031_MS,
        arrived_ms: at("06:10"),
        ahead,
        allowed_ahead: minutes(60),
    };
    rule("A record is refused when its event time is further ahead of its arrival than allowed.")
        .picture("allowed: 1 h ahead · arrived 2013-02-08 06:10 · event time of the year 2031")
        .ask("Which two clocks does this code compare? A record carries both.")
        .same(refused, Err(expected));
    rule("What is refused is counted.").same(guard.refused(), 1);
}

#[test]
fn ahead_by_exactly_what_is_allowed_is_allowed() {
    let mut guard = Guard::new(minutes(60));
    for (timestamp, passes) in
        [("07:10", true), ("07:10:00.001", false), ("07:09", true), ("06:10", true)]
    {
        rule("A record passes that is ahead of its arrival by at most what is allowed.")
            .picture(format!("allowed: 1 h ahead · arrived 06:10 · event time {timestamp}"))
            .ask("By how much is this one ahead, and up to what is that no error?")
            .same_bytes(told(guard.check(at(timestamp), at("06:10")).is_ok()), told(passes));
    }
    rule("Only what is refused is counted.").same(guard.refused(), 1);
}

#[test]
fn a_record_from_long_ago_passes() {
    let mut guard = Guard::new(Duration::ZERO);
    for timestamp_ms in [at("06:09"), 0, i64::MIN] {
        rule("A guard against the future lets the past through: late records harm no watermark.")
            .picture(format!("arrived 06:10 · event time {}", shown(Some(timestamp_ms))))
            .ask("Does this code look at the distance alone, or also at its direction?")
            .succeeds(guard.check(timestamp_ms, at("06:10")));
    }
}

#[test]
fn at_the_ends_of_i64_the_guard_still_holds() {
    for (timestamp_ms, arrived_ms) in [(i64::MAX, -1), (i64::MAX, i64::MIN), (0, i64::MIN)] {
        let mut guard = Guard::new(minutes(60));
        let refused = guard.check(timestamp_ms, arrived_ms);
        rule("The wildest time is the one that must not pass, and it is told by how much it is ahead.")
            .picture(format!("event time {timestamp_ms} ms · arrived {arrived_ms} ms"))
            .ask("How far is the first ahead of the second, and does that fit into an i64?")
            .same(
                refused.err().map(|refused| refused.ahead),
                Some(Duration::from_millis(timestamp_ms.abs_diff(arrived_ms))),
            );
    }
    let mut guard = Guard::new(Duration::MAX);
    rule("Where any distance is allowed, every record passes.")
        .same(guard.check(i64::MAX, i64::MIN), Ok(()));
}

#[test]
fn a_refused_record_leaves_no_trace_in_the_stream() {
    let mut guard = Guard::new(minutes(60));
    let mut arrivals = Arrivals::new(minutes(15));
    let mut timeline = Timeline::new().heading("bound 15 min · allowed: 1 h ahead of the arrival");
    for (timestamp_ms, arrived, watermark) in [
        (at("06:10"), "06:08", "05:55"),
        (at("06:40"), "06:41", "06:25"),
        (YEAR_2031_MS, "06:43", "06:25"),
        (at("06:30"), "06:45", "06:25"),
    ] {
        let admitted = admit(&mut guard, &mut arrivals, timestamp_ms, at(arrived));
        let row = timeline.record("", timestamp_ms).watermark(arrivals.watermark_ms());
        row.mark(told(admitted.is_ok()));
        rule("A record that is refused moves no watermark.")
            .picture(timeline.to_string())
            .ask("In which order does this code ask the guard and move the watermark?")
            .same_bytes(
                arrivals.watermark_ms().map_or("none".to_owned(), utc::format),
                utc::format(at(watermark)),
            );
    }
    rule("A record that is refused is counted by the guard, and as nothing else.")
        .picture(timeline.to_string())
        .same((guard.refused(), arrivals.counts()), (1, Counts { on_time: 3, late: 0 }));
}

#[test]
fn without_a_guard_one_wild_record_makes_every_later_one_late() {
    let departed = Week::Calm.load().departed;
    let (before, after) = departed.split_at(100);
    for (allowed_ahead, late_after) in [(Duration::MAX, after.len() as u64), (ALLOWED_AHEAD, 16)] {
        let mut guard = Guard::new(allowed_ahead);
        let mut arrivals = Arrivals::new(minutes(240));
        let mut pass = |timestamp_ms, arrived_ms| {
            let _ = admit(&mut guard, &mut arrivals, timestamp_ms, arrived_ms);
            arrivals.counts().late
        };
        for flight in before {
            pass(flight.scheduled_ms, flight.departed_ms());
        }
        let late_before = pass(YEAR_2031_MS, before[99].departed_ms());
        let late =
            after.iter().map(|flight| pass(flight.scheduled_ms, flight.departed_ms())).last();
        rule("One record of 2031 on the calm week: without a guard all later flights are late, with it few.")
            .picture(format!("bound 4 h · 100 flights, the wild one, 6,192 flights · allowed ahead: {}",
                if allowed_ahead == Duration::MAX { "anything" } else { "1 h" }))
            .ask("A watermark never goes back. What could mend it once the wild record was observed?")
            .same(late.unwrap_or(0) - late_before, late_after);
    }
}

#[test]
fn no_real_flight_is_refused() {
    for week in Week::ALL {
        let mut guard = Guard::new(ALLOWED_AHEAD);
        for flight in week.load().departed {
            rule("A flight that left before its slot is no error: real ones do, by up to 43 minutes.")
                .picture(format!("{flight:?}"))
                .succeeds(guard.check(flight.scheduled_ms, flight.departed_ms()));
        }
    }
}

/// The clock at LGA is off, so the arrivals of its flights are wrong; their slots are right.
#[test]
fn a_clock_that_is_off_is_seen_by_the_guard_and_not_by_the_watermark() {
    let right = Generator::out_of_order(2013, minutes(15)).expect("a bound of whole minutes");
    let watermark_of = |flights: &Generator, guard: &mut Guard| {
        let mut arrivals = Arrivals::new(minutes(15));
        for flight in (0..900).map(|id| flights.flight(id)) {
            let _ = admit(guard, &mut arrivals, flight.scheduled_ms, flight.departed_ms());
        }
        arrivals
    };
    let flights_of_lga = (0..900).filter(|id| right.flight(*id).origin == "LGA").count() as u64;
    for (off_min, refused) in [(90, 0), (-40, 0), (-90, flights_of_lga)] {
        let wrong = right.with_clock_off("LGA", off_min).expect("less than a day");
        let mut guard = Guard::new(ALLOWED_AHEAD);
        let arrivals = watermark_of(&wrong, &mut guard);
        let picture = format!(
            "900 made flights · the clock at LGA is off by {off_min} min · allowed: 1 h ahead"
        );
        rule("A slow clock makes good records look as if they came from the future; a fast one does not.")
            .picture(&picture)
            .ask("An arrival that is noted too early: is the event time then ahead of it, or behind?")
            .same(guard.refused(), refused);
        if refused == 0 {
            let expected = watermark_of(&right, &mut Guard::new(Duration::MAX));
            rule("A watermark is made of event time: a wrong arrival clock does not move it.")
                .picture(&picture)
                .ask("Which of the record's two clocks goes into the watermark?")
                .same_bytes(shown(arrivals.watermark_ms()), shown(expected.watermark_ms()));
        }
    }
}
