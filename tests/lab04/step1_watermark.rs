//! Step 1: a watermark that stays behind the largest timestamp.

use std::time::Duration;

use lab04::watermark::BoundedWatermark;
use proptest::collection::vec;
use proptest::prelude::any;
use testkit::{for_all, rule};
use timeline::{Timeline, span};

use super::at_hand::{at, minutes, shown};

/// Records in arrival order, each with the watermark that must stand after it.
fn follow(the_rule: &str, question: &str, bound: Duration, records: &[(i64, Option<i64>)]) {
    let mut watermark = BoundedWatermark::new(bound);
    let mut timeline = Timeline::new().heading(format!("bound {}", span::text(bound)));
    for (timestamp_ms, expected_ms) in records {
        watermark.observe(*timestamp_ms);
        let got_ms = watermark.current_ms();
        let row = timeline.record("", *timestamp_ms).watermark(got_ms);
        if got_ms != *expected_ms {
            row.expected(*expected_ms);
        }
        rule(the_rule)
            .picture(timeline.to_string())
            .ask(question)
            .same_bytes(shown(got_ms), shown(*expected_ms));
    }
}

#[test]
fn the_watermark_stays_behind_the_largest_timestamp_by_the_bound() {
    follow(
        "The watermark stands at the largest timestamp seen so far, less the bound.",
        "The watermark is a promise about records that are still to come. Which ones may be?",
        minutes(15),
        &[
            (at("06:10"), Some(at("05:55"))),
            (at("06:20"), Some(at("06:05"))),
            (at("06:40"), Some(at("06:25"))),
        ],
    );
}

#[test]
fn the_watermark_never_goes_back() {
    follow(
        "A watermark that was given out is never taken back.",
        "What does this code look at: the record that has just come, or the latest one ever seen?",
        minutes(15),
        &[
            (at("06:10"), Some(at("05:55"))),
            (at("06:40"), Some(at("06:25"))),
            (at("06:05"), Some(at("06:25"))),
            (at("06:39"), Some(at("06:25"))),
            (at("06:41"), Some(at("06:26"))),
        ],
    );
}

#[test]
fn a_bound_of_zero_takes_every_record_at_its_word() {
    follow(
        "Under a bound of zero the watermark is the largest timestamp itself.",
        "Is there anything in this code besides the bound that keeps the watermark back?",
        Duration::ZERO,
        &[
            (at("06:10"), Some(at("06:10"))),
            (at("06:09:59.999"), Some(at("06:10"))),
            (at("06:10:00.001"), Some(at("06:10:00.001"))),
        ],
    );
}

#[test]
fn before_the_first_record_there_is_no_watermark() {
    let mut watermark = BoundedWatermark::new(minutes(15));
    rule("Before the first record nobody can say what has been seen.")
        .ask("Which record would be late if the watermark began at zero, that is in 1970?")
        .same(watermark.current_ms(), None);
    watermark.observe(-1);
    rule("A record from before 1970 is a record: its watermark lies before 1970 too.")
        .picture("bound 15 min · timestamp -1 ms, 1969-12-31T23:59:59.999Z")
        .same(watermark.current_ms(), Some(-900_001));
}

#[test]
fn at_the_ends_of_i64_nothing_wraps() {
    let question = "How far below i64::MIN would the result lie? What do `-` and `as` make of it, in \
                    a debug build and in a release build?";
    for (bound, timestamp_ms, expected_ms) in [
        (minutes(15), i64::MIN, i64::MIN),
        (minutes(15), i64::MIN + 900_001, i64::MIN + 1),
        (Duration::MAX, -2, i64::MIN),
        (Duration::MAX, i64::MAX, 0),
        (Duration::ZERO, i64::MAX, i64::MAX),
    ] {
        let the_rule = "A watermark that would lie below i64::MIN is i64::MIN.";
        follow(the_rule, question, bound, &[(timestamp_ms, Some(expected_ms))]);
    }
}

#[test]
fn whatever_comes_it_is_the_maximum_less_the_bound() {
    for_all((any::<u32>(), vec(any::<i64>(), 1..20)), |(bound_ms, timestamps_ms)| {
        let mut max_ms = i64::MIN;
        let records: Vec<(i64, Option<i64>)> = timestamps_ms
            .into_iter()
            .map(|timestamp_ms| {
                max_ms = max_ms.max(timestamp_ms);
                (timestamp_ms, Some(max_ms.saturating_sub(i64::from(bound_ms))))
            })
            .collect();
        follow(
            "Whatever the records: the largest timestamp so far, less the bound, and never back.",
            "Which record of these is the one that matters?",
            Duration::from_millis(u64::from(bound_ms)),
            &records,
        );
    });
}
