//! Step 5: allowed lateness: results are corrected, and state that nothing may change goes.

use std::collections::BTreeMap;
use std::time::Duration;

use lab05::corrections::Aggregation;
use lab05::delays::Delays;
use lab05::dropped::DropReason;
use lab05::firing::WindowResult;
use lab05::window::{NoWindow, SizeError, Window};
use proptest::collection::vec;
use proptest::prelude::any;
use testkit::{for_all, rule};
use timeline::{Timeline, span};

use super::at_hand::{HOUR, at, counted, hour_of, minutes, name, shown, told, told_all};

/// An aggregation under test, and the picture of what it was given so far.
struct Watched {
    aggregation: Aggregation,
    timeline: Timeline,
    watermark_ms: Option<i64>,
}

impl Watched {
    fn new(allowed_lateness: Duration) -> Watched {
        let lateness = span::text(allowed_lateness);
        let heading = format!("windows of 1 h · allowed lateness {lateness}");
        Watched {
            aggregation: Aggregation::new(HOUR, allowed_lateness).expect("an hour is a size"),
            timeline: Timeline::with_watermarks(&["watermark"]).heading(heading),
            watermark_ms: None,
        }
    }

    /// A departure: `counted`, the correction that it brings, or `dropped`.
    fn record(&mut self, key: &str, timestamp_ms: i64, delay_min: i32) -> String {
        let (said, mark) = match self.aggregation.on_record(timestamp_ms, key, delay_min) {
            Ok(None) => ("counted".to_owned(), "counted".to_owned()),
            Ok(Some(result)) => (told(&result), marked(&result)),
            Err(_) => ("dropped".to_owned(), "dropped".to_owned()),
        };
        self.timeline.record(key, timestamp_ms).watermark(self.watermark_ms).mark(mark);
        said
    }

    /// The watermark has come to here: what fires?
    fn watermark(&mut self, watermark_ms: i64) -> Vec<WindowResult> {
        self.watermark_ms = Some(watermark_ms);
        let results = self.aggregation.on_watermark(watermark_ms);
        let row = self.timeline.moment("the watermark moves").watermark(Some(watermark_ms));
        for result in &results {
            row.mark(marked(result));
        }
        results
    }

    /// A departure comes, and this must follow from it.
    #[track_caller]
    fn departs(&mut self, key: &str, clock: &str, expected: &str, the_rule: &str, question: &str) {
        let said = self.record(key, at(clock), 0);
        let picture = self.timeline.to_string();
        rule(the_rule).picture(picture).ask(question).same_bytes(said, expected);
    }

    /// The watermark has come to here, and this must fire.
    #[track_caller]
    fn fires(&mut self, clock: &str, expected: &str, the_rule: &str, question: &str) {
        let results = self.watermark(at(clock));
        let picture = self.timeline.to_string();
        rule(the_rule).picture(picture).ask(question).same_bytes(told_all(&results), expected);
    }

    /// So many windows are kept.
    #[track_caller]
    fn keeps(&mut self, windows: usize, the_rule: &str, question: &str) {
        let picture = self.timeline.to_string();
        let kept = self.aggregation.state().kept();
        rule(the_rule)
            .picture(picture)
            .ask(question)
            .same_bytes(format!("{kept} windows kept"), format!("{windows} windows kept"));
    }
}

/// A result as a mark in the picture, where there is little room: its window by its start.
fn marked(result: &WindowResult) -> String {
    let WindowResult { window, key, delays, revision } = result;
    format!("{} {key}: {}, revision {revision}", shown(Some(window.start_ms)), delays.count)
}

/// What is kept, as text: `[06:00,07:00) EWR: 2`.
fn told_kept(aggregation: &Aggregation) -> String {
    let mut told = Vec::new();
    for (window, kept) in &aggregation.state().windows {
        for (key, kept) in &kept.by_key {
            told.push(format!("{} {key}: {}", name(*window), kept.delays.count));
        }
    }
    told.join("; ")
}

#[test]
fn a_late_record_whose_window_has_not_ended_is_counted() {
    let the_rule = "A late record whose window has not ended counts like any other.";
    let question = "The watermark is past the record. Is it past the end of the record's window?";
    let mut watched = Watched::new(Duration::ZERO);
    watched.departs("EWR", "06:40", "counted", the_rule, question);
    watched.fires("06:30", "nothing", the_rule, question);
    watched.departs("EWR", "06:10", "counted", the_rule, question);
    watched.fires("07:00", "[06:00,07:00) EWR: 2, revision 1", the_rule, question);
}

#[test]
fn with_no_allowed_lateness_a_window_that_has_fired_is_gone() {
    let the_rule = "Without allowed lateness a window is gone as soon as it fires.";
    let question =
        "Which comes first for a record: its window, or the question whether it is gone?";
    let mut watched = Watched::new(Duration::ZERO);
    watched.departs("EWR", "06:10", "counted", the_rule, question);
    watched.fires("07:00", "[06:00,07:00) EWR: 1, revision 1", the_rule, question);
    watched.departs("EWR", "06:50", "dropped", the_rule, question);
    watched.keeps(0, "A dropped record opens no window again.", question);
    watched.fires("08:00", "nothing", "A dropped record fires nothing.", question);
}

#[test]
fn a_record_within_the_allowed_lateness_corrects_its_result_at_once() {
    let the_rule =
        "A record for a window that has fired and is not gone gives a correction, at once.";
    let question = "The board shows a number that is known to be wrong. For how long should it?";
    let mut watched = Watched::new(minutes(30));
    watched.departs("EWR", "06:10", "counted", the_rule, question);
    watched.fires("07:00", "[06:00,07:00) EWR: 1, revision 1", the_rule, question);
    watched.departs("EWR", "06:50", "[06:00,07:00) EWR: 2, revision 2", the_rule, question);
    watched.departs("EWR", "06:55", "[06:00,07:00) EWR: 3, revision 3", the_rule, question);
    watched.fires("07:10", "nothing", "What was corrected at once does not fire again.", question);
}

#[test]
fn a_correction_replaces_the_result_before_it() {
    let mut watched = Watched::new(minutes(30));
    watched.record("EWR", at("06:10"), 40);
    watched.watermark(at("07:00"));
    let corrected = watched.aggregation.on_record(at("06:50"), "EWR", -10).ok().flatten();
    watched.timeline.record("EWR", at("06:50")).watermark(Some(at("07:00"))).mark("a correction");
    let all = Delays { count: 2, sum_min: 30, worst_min: Some(40), over_15_min: 1 };
    rule(
        "A correction holds the figures of *all* records of its key: it replaces, it is not added.",
    )
    .picture(format!(
        "the first flight leaves 40 min late, the second 10 min early\n{}",
        watched.timeline
    ))
    .ask("The sink writes a result over the one before. What would be left of the first flight?")
    .same(corrected.map(|result| (result.delays, result.revision)), Some((all, 2)));
}

#[test]
fn only_the_key_of_the_record_is_corrected() {
    let the_rule = "A correction is about the one key whose figures have changed.";
    let question =
        "What would a result say that it has not said before, if only another key has changed?";
    let mut watched = Watched::new(minutes(30));
    for key in ["EWR", "JFK", "LGA"] {
        watched.departs(key, "06:10", "counted", the_rule, question);
    }
    watched.watermark(at("07:00"));
    watched.departs("JFK", "06:50", "[06:00,07:00) JFK: 2, revision 2", the_rule, question);
    watched.departs("EWR", "06:50", "[06:00,07:00) EWR: 2, revision 2", the_rule, question);
    watched.departs("JFK", "06:51", "[06:00,07:00) JFK: 3, revision 3", the_rule, question);
    watched.fires("07:20", "nothing", the_rule, question);
}

#[test]
fn the_first_record_of_a_window_that_has_ended_fires_at_once() {
    let the_rule =
        "A window whose first record comes after its end fires with that record, and then no more.";
    let question =
        "The end of this window is past, and nothing has fired. What is there to wait for?";
    let mut watched = Watched::new(minutes(60));
    watched.departs("EWR", "08:10", "counted", the_rule, question);
    watched.fires("07:30", "nothing", the_rule, question);
    watched.departs("JFK", "06:50", "[06:00,07:00) JFK: 1, revision 1", the_rule, question);
    let question = "This window has given its result. From what does the next watermark see that?";
    watched.fires("07:40", "nothing", the_rule, question);
    watched.departs("JFK", "06:55", "[06:00,07:00) JFK: 2, revision 2", the_rule, question);
    watched.departs("EWR", "06:55", "[06:00,07:00) EWR: 1, revision 1", the_rule, question);
}

#[test]
fn the_last_moment_for_a_correction_is_one_millisecond_before_the_window_is_gone() {
    let the_rule = "A window can be corrected until end + allowed lateness <= watermark.";
    let question = "07:00 and half an hour: on which side of the limit is 07:30 itself?";
    let mut watched = Watched::new(minutes(30));
    watched.departs("EWR", "06:10", "counted", the_rule, question);
    watched.fires("07:29:59.999", "[06:00,07:00) EWR: 1, revision 1", the_rule, question);
    let question =
        "The record is admitted, so its window is not gone. What has become of the first flight?";
    watched.departs("EWR", "06:20", "[06:00,07:00) EWR: 2, revision 2", the_rule, question);
    let question = "07:00 and half an hour: on which side of the limit is 07:30 itself?";
    watched.fires("07:30", "nothing", the_rule, question);
    watched.departs("EWR", "06:30", "dropped", the_rule, question);
}

#[test]
fn state_goes_when_nothing_may_change_it_any_more() {
    let the_rule = "A window is kept until it is gone, and not a millisecond longer.";
    let question =
        "The allowed lateness is 30 min. Until which watermark may each window be corrected?";
    let mut watched = Watched::new(minutes(30));
    for clock in ["06:10", "07:10", "08:10"] {
        watched.record("EWR", at(clock), 0);
    }
    for (clock, kept) in [
        ("07:00", 3),
        ("07:29:59.999", 3),
        ("07:30", 2),
        ("08:29:59.999", 2),
        ("08:30", 1),
        ("09:30", 0),
    ] {
        watched.watermark(at(clock));
        watched.keeps(kept, the_rule, question);
    }
}

#[test]
fn allowed_lateness_makes_no_result_wait() {
    let the_rule =
        "Allowed lateness decides how long a window may be corrected, not when it fires.";
    let question = "Which of the two spans keeps the watermark back: the bound, or the lateness?";
    let mut watched = Watched::new(minutes(60));
    watched.departs("EWR", "06:10", "counted", the_rule, question);
    watched.fires("07:00", "[06:00,07:00) EWR: 1, revision 1", the_rule, question);
}

#[test]
fn a_dropped_record_changes_nothing() {
    let mut watched = Watched::new(minutes(30));
    watched.record("EWR", at("06:10"), 0);
    watched.record("EWR", at("09:10"), 0);
    watched.watermark(at("07:30"));
    let before = told_kept(&watched.aggregation);
    let said = watched.record("EWR", at("06:20"), 0);
    rule("A record whose window is gone is dropped.")
        .picture(watched.timeline.to_string())
        .same_bytes(said, "dropped");
    rule(
        "A dropped record leaves no trace: its window is not opened again, or it would fire twice.",
    )
    .picture(watched.timeline.to_string())
    .ask("What does this code do with the record before it finds out that it is too late?")
    .same_bytes(told_kept(&watched.aggregation), before);
}

#[test]
fn a_watermark_that_is_not_ahead_changes_nothing() {
    let the_rule = "A watermark that is not ahead of the last one changes nothing.";
    let question = "What was promised at 08:00? Can it be taken back?";
    let mut watched = Watched::new(Duration::ZERO);
    watched.departs("EWR", "06:10", "counted", the_rule, question);
    watched.fires("08:00", "[06:00,07:00) EWR: 1, revision 1", the_rule, question);
    watched.fires("07:00", "nothing", the_rule, question);
    watched.watermark_ms = Some(at("08:00"));
    watched.departs("EWR", "07:30", "dropped", the_rule, question);
    rule(the_rule)
        .picture(watched.timeline.to_string())
        .ask(question)
        .same_bytes(shown(watched.aggregation.watermark_ms()), "08:00");
}

#[test]
fn the_final_watermark_fires_what_has_not_fired_and_keeps_nothing() {
    let the_rule =
        "At the end every window that has not fired does so: those that have, do not again.";
    let question = "Which windows are kept at this moment, and which of them still owe a result?";
    let mut watched = Watched::new(minutes(60));
    watched.record("EWR", at("06:10"), 0);
    watched.record("EWR", at("07:10"), 0);
    watched.watermark(at("07:00"));
    watched.record("EWR", at("06:20"), 0);
    let results = watched.watermark(i64::MAX);
    rule(the_rule)
        .picture(watched.timeline.to_string())
        .ask(question)
        .same_bytes(told_all(&results), "[07:00,08:00) EWR: 1, revision 1");
    watched.keeps(0, "After the final watermark nothing is kept.", question);
    let said = watched.record("EWR", at("09:10"), 0);
    rule("After the final watermark every window is gone: what comes all the same is dropped.")
        .picture(watched.timeline.to_string())
        .same_bytes(said, "dropped");
}

#[test]
fn a_record_without_a_window_is_dropped_for_that_reason() {
    let mut aggregation = Aggregation::new(HOUR, minutes(30)).expect("an hour is a size");
    let reason = NoWindow { timestamp_ms: i64::MAX };
    rule("A record whose window an i64 cannot say is dropped, and says so.")
        .same(aggregation.on_record(i64::MAX, "EWR", 0), Err(DropReason::NoWindow(reason)));
    rule("It leaves no trace.").same(aggregation.state().kept(), 0);
}

#[test]
fn windows_of_an_impossible_size_are_refused() {
    let size = Duration::ZERO;
    rule("Windows of no length are refused before the first record.")
        .same(Aggregation::new(size, HOUR).map(|_| ()), Err(SizeError { size }));
}

#[test]
fn a_hundred_thousand_keys_come_and_go() {
    let keys: Vec<String> = (0..100_000).map(|number| format!("key {number:06}")).collect();
    let mut aggregation = Aggregation::new(HOUR, Duration::ZERO).expect("an hour is a size");
    for key in keys.iter().rev() {
        let _ = aggregation.on_record(at("06:10"), key, 1);
    }
    rule("Every key of a window waits for its end.")
        .same(aggregation.state().records_in_open(), 100_000);
    let results = aggregation.on_watermark(at("07:00"));
    let in_order = results.iter().map(|result| &result.key).eq(&keys);
    rule("Each key is said once, in the order of the keys.")
        .holds(in_order, format!("{} results, in another order or of other keys", results.len()));
    rule("And nothing of them is kept.").same(aggregation.state().kept(), 0);
}

/// A departure at a minute of the day, or a step of the watermark.
#[derive(Debug, Clone)]
enum Event {
    Departure { minute: i64, key: usize, delay_min: i16 },
    WatermarkBy { minutes: i64 },
}

#[test]
fn whatever_comes_the_latest_results_are_a_batch_over_what_was_not_dropped() {
    use proptest::prelude::{Strategy, prop_oneof};

    let departure = (0..480_i64, 0..3_usize, any::<i16>());
    let event = prop_oneof![
        3 => departure.prop_map(|(minute, key, delay_min)| Event::Departure { minute, key, delay_min }),
        1 => (0..90_i64).prop_map(|minutes| Event::WatermarkBy { minutes }),
    ];
    for_all((vec(event, 1..32), 0..120_u64), |(events, lateness_min)| {
        let mut watched = Watched::new(minutes(lateness_min));
        let mut watermark_ms = at("00:00");
        let mut latest: BTreeMap<(Window, String), WindowResult> = BTreeMap::new();
        let mut batch: BTreeMap<(Window, String), Vec<i32>> = BTreeMap::new();
        let mut results = Vec::new();
        for event in events {
            match event {
                Event::Departure { minute, key, delay_min } => {
                    let timestamp_ms = at("00:00") + minute * 60_000;
                    let (key, delay_min) = (["EWR", "JFK", "LGA"][key], i32::from(delay_min));
                    let taken = watched.aggregation.on_record(timestamp_ms, key, delay_min);
                    watched.timeline.record(key, timestamp_ms).watermark(watched.watermark_ms);
                    if let Ok(correction) = taken {
                        results.extend(correction);
                        let of_key = (hour_of(timestamp_ms), key.to_owned());
                        batch.entry(of_key).or_default().push(delay_min);
                    }
                }
                Event::WatermarkBy { minutes } => {
                    watermark_ms += minutes * 60_000;
                    results.extend(watched.watermark(watermark_ms));
                }
            }
        }
        results.extend(watched.watermark(i64::MAX));
        for result in results {
            let of_key = (result.window, result.key.clone());
            let before = latest.insert(of_key, result.clone()).map_or(0, |result| result.revision);
            rule("The results of a key of a window are revision 1, 2, 3 and so on, none twice.")
                .picture(watched.timeline.to_string())
                .same_bytes(
                    told(&result),
                    told(&WindowResult { revision: before + 1, ..result.clone() }),
                );
        }
        let latest: BTreeMap<_, _> =
            latest.into_iter().map(|(of_key, result)| (of_key, result.delays)).collect();
        let batch: BTreeMap<_, _> =
            batch.into_iter().map(|(of_key, delays_min)| (of_key, counted(&delays_min))).collect();
        rule("The latest results are those of a batch over the records that were not dropped.")
            .picture(watched.timeline.to_string())
            .same(latest, batch);
    });
}
