//! Step 3: windows that are filled, and fire when the watermark has reached their end.

use std::collections::BTreeMap;

use lab05::delays::Delays;
use lab05::firing::{WindowResult, WindowState};
use lab05::window::Window;
use proptest::collection::vec;
use proptest::prelude::any;
use testkit::{for_all, rule};
use timeline::Timeline;

use super::at_hand::{at, counted, hour_from, hour_of, name, shown, told_all};

/// Windows under test, and the picture of what they were given so far.
struct Watched {
    state: WindowState,
    timeline: Timeline,
}

impl Watched {
    fn new() -> Watched {
        let timeline = Timeline::with_watermarks(&["watermark"]).heading("windows of 1 h");
        Watched { state: WindowState::default(), timeline }
    }

    /// A departure, put into the window of its hour.
    fn departs(&mut self, key: &str, clock: &str, delay_min: i32) {
        self.state.add(hour_of(at(clock)), key, delay_min);
        self.timeline.record(key, at(clock));
    }

    /// The watermark has come to here: what fires?
    fn watermark(&mut self, watermark_ms: i64) -> Vec<WindowResult> {
        let results = self.state.fire(watermark_ms);
        self.timeline.moment("the watermark moves").watermark(Some(watermark_ms));
        results
    }

    /// The watermark has come to here, and this must fire.
    #[track_caller]
    fn fires(&mut self, clock: &str, expected: &str, the_rule: &str, question: &str) {
        let results = self.watermark(at(clock));
        rule(the_rule)
            .picture(self.timeline.to_string())
            .ask(question)
            .same_bytes(told_all(&results), expected);
    }
}

#[test]
fn a_window_fires_when_the_watermark_reaches_its_end() {
    let the_rule = "A window fires as soon as its end is at the watermark: end <= watermark.";
    let mut watched = Watched::new();
    watched.departs("EWR", "06:10", 0);
    let question = "Which instant of this window has perhaps not been seen yet at this watermark?";
    watched.fires("06:59:59.999", "nothing", the_rule, question);
    let question =
        "Every record before 07:00 has been seen now. What may still come for this window?";
    watched.fires("07:00", "[06:00,07:00) EWR: 1, revision 1", the_rule, question);
}

#[test]
fn a_window_fires_once() {
    let the_rule = "A window fires once, however often the watermark moves after that.";
    let question = "What does a window have to remember of its own firing, and which windows are looked at behind it?";
    let mut watched = Watched::new();
    watched.departs("EWR", "06:10", 0);
    watched.fires("07:00", "[06:00,07:00) EWR: 1, revision 1", the_rule, question);
    watched.fires("07:00", "nothing", the_rule, question);
    watched.fires("07:30", "nothing", the_rule, question);
    watched.departs("EWR", "07:10", 0);
    watched.fires("08:00", "[07:00,08:00) EWR: 1, revision 1", the_rule, question);
}

#[test]
fn one_watermark_may_fire_many_windows() {
    let mut watched = Watched::new();
    for clock in ["06:10", "08:10", "09:10", "11:10"] {
        watched.departs("EWR", clock, 0);
    }
    watched.fires(
        "10:00",
        "[06:00,07:00) EWR: 1, revision 1; [08:00,09:00) EWR: 1, revision 1; \
         [09:00,10:00) EWR: 1, revision 1",
        "Every window that has ended fires, and no other.",
        "A watermark may pass several ends at once. How many windows does this code look at?",
    );
}

#[test]
fn results_come_by_the_end_of_their_window_and_then_by_key() {
    let mut watched = Watched::new();
    for (key, clock) in
        [("LGA", "07:10"), ("JFK", "06:20"), ("EWR", "07:30"), ("JFK", "07:05"), ("EWR", "06:15")]
    {
        watched.departs(key, clock, 0);
    }
    let results = watched.watermark(at("08:00"));
    let order: Vec<String> = results
        .iter()
        .map(|result| format!("{} {}", shown(Some(result.window.end_ms)), result.key))
        .collect();
    rule(
        "Results come by the end of their window, and within it by key: always in the same order.",
    )
    .picture(watched.timeline.to_string())
    .ask("Two runs over one log must give the same bytes. What orders the results in this code?")
    .same_bytes(order.join(", "), "07:00 EWR, 07:00 JFK, 08:00 EWR, 08:00 JFK, 08:00 LGA");
}

#[test]
fn each_key_of_each_window_has_figures_of_its_own() {
    let mut watched = Watched::new();
    for (key, clock, delay_min) in
        [("EWR", "06:10", 20), ("JFK", "06:20", -3), ("EWR", "06:50", 10), ("EWR", "07:10", 90)]
    {
        watched.departs(key, clock, delay_min);
    }
    let results = watched.watermark(at("07:00"));
    let figures = |count, sum_min, worst_min, over_15_min| Delays {
        count,
        sum_min,
        worst_min: Some(worst_min),
        over_15_min,
    };
    let expected = [("EWR", figures(2, 30, 20, 1)), ("JFK", figures(1, -3, -3, 0))]
        .map(|(key, delays)| (key.to_owned(), delays));
    let got: Vec<(String, Delays)> =
        results.into_iter().map(|result| (result.key, result.delays)).collect();
    rule("A departure counts for its own key in its own window, and for nothing else.")
        .picture(watched.timeline.to_string())
        .ask("Delays are 20, -3, 10 and 90 minutes. Which of them belong together?")
        .same(got, expected.to_vec());
}

#[test]
fn a_window_that_has_fired_stays() {
    let mut watched = Watched::new();
    watched.departs("EWR", "06:10", 0);
    watched.departs("EWR", "07:10", 0);
    let gauges = |watched: &Watched| {
        let state = &watched.state;
        (state.kept(), state.open(), state.records_in_open())
    };
    let told = |(kept, open, records)| {
        format!("{kept} kept, {open} open, records in open windows: {records}")
    };
    rule("A window is open from its first departure on.")
        .picture(watched.timeline.to_string())
        .same_bytes(told(gauges(&watched)), "2 kept, 2 open, records in open windows: 2");
    watched.watermark(at("07:00"));
    rule("A window that has fired is no longer open, but stays: step 5 may have to correct it.")
        .picture(watched.timeline.to_string())
        .ask("If the figures are gone, from what is a correction made?")
        .same_bytes(told(gauges(&watched)), "2 kept, 1 open, records in open windows: 1");
}

#[test]
fn a_window_without_departures_says_nothing() {
    let mut watched = Watched::new();
    let the_rule = "Of an hour without departures there is no result.";
    let question = "Where does this code take the windows from that it fires?";
    watched.fires("23:00", "nothing", the_rule, question);
    watched.departs("EWR", "06:10", 0);
    watched.departs("EWR", "09:10", 0);
    let expected = "[06:00,07:00) EWR: 1, revision 1; [09:00,10:00) EWR: 1, revision 1";
    watched.fires("23:00", expected, the_rule, question);
}

#[test]
fn the_final_watermark_fires_all_that_is_left() {
    let mut watched = Watched::new();
    let last = Window { start_ms: i64::MAX - 1, end_ms: i64::MAX };
    watched.departs("EWR", "06:10", 0);
    watched.state.add(last, "EWR", 0);
    let results = watched.watermark(i64::MAX);
    let ends: Vec<i64> = results.iter().map(|result| result.window.end_ms).collect();
    rule("At the final watermark, i64::MAX, every open window fires: the last of all as well.")
        .picture(format!("windows {} and {}", name(hour_from("06:00")), name(last)))
        .same(ends, vec![at("07:00"), i64::MAX]);
}

#[test]
fn a_result_carries_how_often_its_key_was_given_out() {
    let mut state = WindowState::default();
    let window = hour_from("06:00");
    state.add(window, "EWR", 10);
    let kept = state.windows.get_mut(&window).and_then(|kept| kept.by_key.get_mut("EWR"));
    let kept = kept.expect("EWR has departed");
    let first = kept.give_out(window, "EWR");
    kept.delays.add(30);
    let second = kept.give_out(window, "EWR");
    rule("The first result of a key is revision 1, each further one is one more.")
        .ask("Whoever gets the same window twice must know which of the two holds. From what?")
        .same((first.revision, second.revision), (1, 2));
    rule("Each result has the figures of all departures so far: it replaces the one before.")
        .picture("EWR: a delay of 10 min, given out, then one of 30 min, given out")
        .ask("What is left of the first departure for whoever reads only the last result?")
        .same((first.delays.sum_min, second.delays.sum_min), (10, 40));
}

#[test]
fn whatever_departs_each_key_of_each_window_is_said_once() {
    let departure = (0..600_i64, 0..3_usize, any::<i16>());
    for_all((vec(departure, 1..24), vec(0..400_i64, 0..6)), |(departures, steps_min)| {
        let mut watched = Watched::new();
        let mut batch: BTreeMap<(Window, String), Vec<i32>> = BTreeMap::new();
        for (minute, key, delay_min) in departures {
            let timestamp_ms = at("00:00") + minute * 60_000;
            let (key, delay_min) = (["EWR", "JFK", "LGA"][key], i32::from(delay_min));
            watched.state.add(hour_of(timestamp_ms), key, delay_min);
            watched.timeline.record(key, timestamp_ms);
            let of_key = (hour_of(timestamp_ms), key.to_owned());
            batch.entry(of_key).or_default().push(delay_min);
        }
        let mut said = Vec::new();
        let mut watermark_ms = at("00:00");
        for step_min in steps_min {
            watermark_ms += step_min * 60_000;
            said.extend(watched.watermark(watermark_ms));
        }
        said.extend(watched.watermark(i64::MAX));
        let expected: Vec<WindowResult> = batch
            .into_iter()
            .map(|((window, key), delays_min)| WindowResult {
                window,
                key,
                delays: counted(&delays_min),
                revision: 1,
            })
            .collect();
        rule("However the watermark moves: each key of each window once, in order, with all its departures.")
            .picture(watched.timeline.to_string())
            .holds(
                said == expected,
                format!("{}\nexpected  {}", told_all(&said), told_all(&expected)),
            );
    });
}
