//! Step 2: late, or on time.

use std::time::Duration;

use flights::Generator;
use flights::lateness::{self, BOUNDS};
use flights::weeks::Week;
use lab04::lateness::{Arrivals, Counts, judge};
use proptest::collection::vec;
use testkit::{for_all, rule};
use timeline::{Timeline, span};

use super::at_hand::{at, minutes, shown};

/// What a test expects of one record: its timestamp, the watermark it is judged against, and whether
/// it is late.
type Expected = (i64, Option<i64>, bool);

/// Sends records past a watermark and holds each against what is expected.
fn follow(the_rule: &str, question: &str, bound: Duration, records: &[Expected]) {
    let mut arrivals = Arrivals::new(bound);
    let mut timeline = Timeline::with_watermarks(&["judged by", "watermark after it"])
        .heading(format!("bound {}", span::text(bound)));
    for (timestamp_ms, expected_ms, expected_late) in records {
        let judged = arrivals.on_record(*timestamp_ms);
        timeline
            .record("", *timestamp_ms)
            .watermark(judged.watermark_ms)
            .watermark(arrivals.watermark_ms())
            .mark(late_or_not(judged.is_late()));
        let told = |late, watermark_ms| {
            format!("{}, judged by the watermark {}", late_or_not(late), shown(watermark_ms))
        };
        rule(the_rule).picture(timeline.to_string()).ask(question).same_bytes(
            told(judged.is_late(), judged.watermark_ms),
            told(*expected_late, *expected_ms),
        );
    }
}

fn late_or_not(late: bool) -> &'static str {
    if late { "late" } else { "on time" }
}

fn told(late_by: Option<Duration>) -> String {
    late_by.map_or("on time".to_owned(), |late_by| format!("late by {}", span::text(late_by)))
}

#[test]
fn a_record_is_late_when_it_is_behind_the_watermark() {
    let the_rule = "A record is late when its timestamp is smaller than the watermark.";
    for (timestamp, late_by) in [
        ("06:25", None),
        ("06:24:59.999", Some(Duration::from_millis(1))),
        ("06:05", Some(minutes(20))),
        ("06:40", None),
    ] {
        let judged = judge(at(timestamp), Some(at("06:25")));
        let mut timeline = Timeline::new().heading("bound 15 min");
        timeline.record("", at("06:40")).watermark(Some(at("06:25")));
        let row = timeline.record("", at(timestamp)).watermark(Some(at("06:25")));
        row.mark(told(judged.late_by));
        rule(the_rule)
            .picture(timeline.to_string())
            .ask("The watermark says: all records with a *smaller* timestamp have been seen. Was this one promised?")
            .same_bytes(told(judged.late_by), told(late_by));
        rule("What was judged, and against what, is told.")
            .same((judged.timestamp_ms, judged.watermark_ms), (at(timestamp), Some(at("06:25"))));
    }
}

#[test]
fn before_the_first_watermark_nothing_is_late() {
    for timestamp_ms in [i64::MIN, -1, 0, at("06:10")] {
        rule("Where there is no watermark, nothing was promised and nothing is late.")
            .picture(format!("no watermark · record {}", shown(Some(timestamp_ms))))
            .ask("Which number does this code take for a watermark that there is not?")
            .same_bytes(told(judge(timestamp_ms, None).late_by), "on time");
    }
}

#[test]
fn how_late_is_told_for_any_two_instants() {
    let whole_range = Duration::from_millis(u64::MAX);
    rule("How far a record is behind is told, even from one end of time to the other.")
        .picture("watermark i64::MAX · record i64::MIN")
        .ask("The distance of two i64 may not fit into an i64. Which method gives it as a u64?")
        .same(judge(i64::MIN, Some(i64::MAX)).late_by, Some(whole_range));
}

#[test]
fn each_record_is_judged_against_the_watermark_of_all_earlier_records() {
    follow(
        "A record is judged against the watermark that stood when it came, made by the earlier ones.",
        "Which comes first in this code, and what does the second then see?",
        minutes(15),
        &[
            (at("06:10"), None, false),
            (at("06:40"), Some(at("05:55")), false),
            (at("06:05"), Some(at("06:25")), true),
            (at("06:25"), Some(at("06:25")), false),
            (at("06:41"), Some(at("06:25")), false),
            (at("06:24"), Some(at("06:26")), true),
        ],
    );
}

#[test]
fn a_late_record_moves_nothing_and_is_counted() {
    let mut arrivals = Arrivals::new(Duration::ZERO);
    let mut timeline = Timeline::new().heading("bound 0");
    for (timestamp, on_time, late) in
        [("06:10", 1, 0), ("06:40", 2, 0), ("06:05", 2, 1), ("06:39", 2, 2), ("06:40", 3, 2)]
    {
        arrivals.on_record(at(timestamp));
        timeline.record("", at(timestamp)).watermark(arrivals.watermark_ms());
        rule("Every record is counted once: as late, or as on time.")
            .picture(timeline.to_string())
            .ask("Two sorts are counted. Of which is the record in the last line, and was it counted there?")
            .same(arrivals.counts(), Counts { on_time, late });
    }
    rule("A late record does not move the watermark.")
        .picture(timeline.to_string())
        .same_bytes(shown(arrivals.watermark_ms()), "06:40");
}

#[test]
fn of_the_real_flights_as_many_are_late_as_the_book_says() {
    for week in Week::ALL {
        let departed = week.load().departed;
        for bound in BOUNDS {
            let mut arrivals = Arrivals::new(bound);
            for flight in &departed {
                arrivals.on_record(flight.scheduled_ms);
            }
            let expected = lateness::count(&departed, bound).late as u64;
            rule("Of the flights of a week, as many are late as the table in the book says.")
                .picture(format!("{}, bound {}", week.title(), span::text(bound)))
                .ask("In data/lateness-weeks.md the same is counted. Which record do you judge otherwise?")
                .same(arrivals.counts(), Counts {
                    on_time: departed.len() as u64 - expected,
                    late: expected,
                });
        }
    }
}

/// Made flights: each departs within 15 minutes of its slot, but each tenth comes 20 minutes late
/// beyond that.
#[test]
fn of_made_flights_exactly_those_are_late_that_were_placed_beyond_the_bound() {
    let [bound, by] = [minutes(15), minutes(20)];
    let flights = Generator::out_of_order(2013, bound).expect("a bound of whole minutes");
    let flights = flights.with_late(10, by).expect("one in ten, by whole minutes");
    let mut arrivals = Arrivals::new(bound);
    for id in 0..1_000 {
        let judged = arrivals.on_record(flights.flight(id).scheduled_ms);
        let expected = flights.is_late(id).then_some(by);
        rule(
            "Late is what was placed beyond the bound, by exactly so much, and nothing within it.",
        )
        .picture(format!(
            "bound 15 min · made flight {id}: 1 in 10 is placed 20 min behind the watermark"
        ))
        .ask("Each record leaves a watermark for the next ones. What does a late one leave?")
        .same_bytes(told(judged.late_by), told(expected));
    }
    rule("Every made flight is counted once.")
        .same(arrivals.counts(), Counts { on_time: 900, late: 100 });
}

#[test]
fn whatever_comes_late_is_what_the_earlier_records_have_overtaken() {
    let minute = -30..30_i64;
    for_all((0..20_u64, vec(minute, 1..30)), |(bound_min, record_minutes)| {
        let mut max_ms: Option<i64> = None;
        let records: Vec<Expected> = record_minutes
            .into_iter()
            .map(|minute| {
                let timestamp_ms = at("06:00") + minute * 60_000;
                let watermark_ms = max_ms.map(|max_ms| max_ms - bound_min as i64 * 60_000);
                max_ms = max_ms.max(Some(timestamp_ms));
                let late = watermark_ms.is_some_and(|watermark_ms| timestamp_ms < watermark_ms);
                (timestamp_ms, watermark_ms, late)
            })
            .collect();
        follow(
            "Late is what is smaller than the largest earlier timestamp, less the bound.",
            "Do the figures of the last row follow from the rows above it?",
            minutes(bound_min),
            &records,
        );
    });
}
