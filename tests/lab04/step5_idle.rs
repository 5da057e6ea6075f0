//! Step 5: idle partitions, and what happens when one wakes up.

use std::collections::BTreeSet;
use std::time::Duration;

use flights::{Generated, Generator, RecordGenerator};
use lab04::idle::CombinedWatermark;
use lab04::lateness::Counts;
use proptest::collection::vec;
use proptest::prelude::any;
use testkit::{for_all, rule};
use timeline::Timeline;

use super::at_hand::{at, minutes, seconds, shown};

/// A reader of partitions under test, and the picture of what it was given so far.
struct Watched {
    watermark: CombinedWatermark,
    timeline: Timeline,
    partitions: Vec<i32>,
}

impl Watched {
    fn new(partitions: &[i32], bound: Duration, idle_after: Option<Duration>) -> Watched {
        let mut titles: Vec<String> = partitions.iter().map(|id| format!("of {id}")).collect();
        titles.push("combined".to_owned());
        let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
        let idle = idle_after.map_or("never".to_owned(), |after| format!("after {after:?}"));
        let bound_text = timeline::span::text(bound);
        let heading = format!("bound {bound_text} · idle {idle} · record: partition at the clock");
        Watched {
            watermark: CombinedWatermark::new(partitions, bound, idle_after),
            timeline: Timeline::with_watermarks(&titles).heading(heading),
            partitions: partitions.to_vec(),
        }
    }

    /// A record of a partition, at a reading of the reader's clock. Gives whether it was late.
    fn record(&mut self, partition: i32, timestamp_ms: i64, clock: Duration) -> bool {
        let judged = self.watermark.on_record(partition, timestamp_ms, clock);
        let each_ms = self.watermark.each_ms();
        let row = self.timeline.record(format!("{partition} at {}", reading(clock)), timestamp_ms);
        for known in &self.partitions {
            row.watermark(each_ms.get(known).copied().flatten());
        }
        row.watermark(self.watermark.current_ms());
        if judged.is_late() {
            row.mark("late");
        }
        judged.is_late()
    }

    /// The reader's clock shows this, and no record came.
    fn time(&mut self, clock: Duration) {
        self.watermark.on_time(clock);
        let each_ms = self.watermark.each_ms();
        let idle: Vec<String> = self.watermark.idle().iter().map(i32::to_string).collect();
        let idle = if idle.is_empty() { "none".to_owned() } else { idle.join(", ") };
        let row = self.timeline.moment(format!("clock {}: idle {idle}", reading(clock)));
        for known in &self.partitions {
            row.watermark(each_ms.get(known).copied().flatten());
        }
        row.watermark(self.watermark.current_ms());
    }

    /// The combined watermark is this; if not, the rule is told with the picture.
    #[track_caller]
    fn stands_at(&mut self, expected: Option<&str>, the_rule: &str, question: &str) {
        let got = shown(self.watermark.current_ms());
        rule(the_rule)
            .picture(self.timeline.to_string())
            .ask(question)
            .same_bytes(got, expected.unwrap_or("none"));
    }
}

/// A reading of the clock as text: `0s`, `1.5s`.
fn reading(clock: Duration) -> String {
    if clock.is_zero() { "0s".to_owned() } else { format!("{clock:?}") }
}

const AFTER_2_S: Option<Duration> = Some(seconds(2));

#[test]
fn with_no_idle_time_out_an_empty_partition_holds_the_board_still_forever() {
    let mut watched = Watched::new(&[0, 1, 2], minutes(15), None);
    watched.record(0, at("06:10"), seconds(1));
    watched.record(1, at("06:40"), seconds(1));
    watched.time(seconds(86_400));
    watched.stands_at(
        None,
        "Where no partition is ever idle, one that has not spoken holds everything back.",
        "No `idle_after`, so nobody is idle. What does `combine` of step 4 give while one has not spoken?",
    );
}

#[test]
fn a_partition_is_idle_when_it_was_silent_for_so_long() {
    let mut watched = Watched::new(&[0, 1], minutes(15), AFTER_2_S);
    watched.record(0, at("06:10"), Duration::from_millis(500));
    for (clock_ms, expected) in
        [(1_999, vec![]), (2_000, vec![1]), (2_499, vec![1]), (2_500, vec![0, 1])]
    {
        watched.time(Duration::from_millis(clock_ms));
        rule("A partition is idle after 2 s of silence, counted from its last record, or from the start.")
            .picture(watched.timeline.to_string())
            .ask("When was each of the two heard last? The first record came at 0.5 s.")
            .same(watched.watermark.idle().clone(), BTreeSet::from_iter(expected));
    }
}

#[test]
fn nobody_waits_for_an_idle_partition() {
    let question = "Of which partitions does this code take the smallest watermark?";
    let mut watched = Watched::new(&[0, 1, 2], minutes(15), AFTER_2_S);
    watched.record(0, at("06:10"), seconds(1));
    watched.record(1, at("06:40"), seconds(1));
    watched.time(seconds(2));
    let the_rule = "Idle partitions are left out; the others decide, and at once.";
    watched.stands_at(Some("05:55"), the_rule, question);
    watched.record(0, at("06:30"), seconds(2));
    watched.stands_at(Some("06:15"), the_rule, question);
}

#[test]
fn before_1970_a_watermark_is_a_watermark_too() {
    let mut watched = Watched::new(&[0], Duration::ZERO, None);
    watched.record(0, -3_600_000, seconds(0));
    rule("Before 1970 too, the combined watermark is the smallest of the partitions.")
        .ask("None has been given out yet. Is that the same as one of 0?")
        .same(watched.watermark.current_ms(), Some(-3_600_000));
}

#[test]
fn only_a_record_ends_an_idleness() {
    let mut watched = Watched::new(&[0, 1], Duration::ZERO, AFTER_2_S);
    watched.record(0, at("06:10"), seconds(0));
    watched.watermark.on_end_of(1);
    watched.time(seconds(1));
    watched.record(0, at("06:50"), seconds(1));
    watched.stands_at(
        Some("06:50"),
        "A partition that was read to its end is not waited for, whatever the clock says.",
        "Partition 1 has ended, and has been silent for one second of two. Who but a record may take it off the idle ones?",
    );
}

#[test]
fn who_wakes_up_alone_decides_alone() {
    let mut watched = Watched::new(&[0, 1], Duration::ZERO, AFTER_2_S);
    watched.record(0, at("06:10"), seconds(0));
    watched.record(1, at("06:20"), seconds(0));
    watched.time(seconds(5));
    watched.record(1, at("06:40"), seconds(5));
    watched.stands_at(
        Some("06:40"),
        "A record wakes its partition before the watermarks are combined.",
        "All were idle, and one has spoken. Of which partitions is the smallest taken, and was it among them at that moment?",
    );
}

#[test]
fn where_all_are_idle_the_watermark_stays() {
    let mut watched = Watched::new(&[0, 1], minutes(15), AFTER_2_S);
    watched.record(0, at("06:10"), seconds(1));
    watched.record(1, at("06:40"), seconds(1));
    watched.time(seconds(60));
    watched.stands_at(
        Some("05:55"),
        "Where all partitions are idle nobody speaks of the present, and the watermark stays.",
        "Both were last heard at 1s, so they fell silent together. Does anybody know more about what is still to come than before?",
    );
}

#[test]
fn an_idle_partition_that_wakes_up_never_takes_the_watermark_back() {
    let mut watched = Watched::new(&[0, 1], Duration::ZERO, AFTER_2_S);
    watched.record(0, at("06:10"), seconds(0));
    watched.record(1, at("06:50"), seconds(1));
    watched.time(seconds(2));
    watched.record(1, at("07:00"), seconds(3));
    let the_rule = "The combined watermark never goes back, whatever a woken partition brings.";
    let question = "The smallest of them all is 06:11 now. What was given out before?";
    watched.stands_at(Some("07:00"), "Nobody waits for an idle partition.", question);
    let late = watched.record(0, at("06:11"), seconds(4));
    watched.stands_at(Some("07:00"), the_rule, question);
    rule("What a woken partition brings from behind the watermark is late, and counted.")
        .picture(watched.timeline.to_string())
        .ask("Against which watermark is it judged: its partition's, or the combined one?")
        .same((late, watched.watermark.counts()), (true, Counts { on_time: 3, late: 1 }));
}

#[test]
fn a_woken_partition_is_waited_for_again() {
    let mut watched = Watched::new(&[0, 1], Duration::ZERO, AFTER_2_S);
    watched.record(0, at("06:10"), seconds(0));
    watched.record(1, at("06:50"), seconds(1));
    watched.time(seconds(2));
    for (partition, timestamp, expected) in [
        (1, "07:00", "07:00"),
        (0, "06:11", "07:00"),
        (1, "07:10", "07:00"),
        (0, "07:05", "07:05"),
        (0, "07:20", "07:10"),
    ] {
        watched.record(partition, at(timestamp), seconds(3));
        watched.stands_at(
            Some(expected),
            "From its first record on, a woken partition holds the watermark until it has caught up.",
            "Partition 0 speaks again. What ends its idleness in this code?",
        );
    }
}

#[test]
fn partitions_become_idle_in_the_order_in_which_they_fell_silent() {
    let mut watched = Watched::new(&[0, 1, 2], minutes(15), AFTER_2_S);
    watched.record(0, at("06:10"), Duration::from_millis(100));
    watched.record(1, at("06:40"), Duration::from_millis(200));
    watched.time(seconds(60));
    watched.stands_at(
        Some("06:25"),
        "However seldom one looks at the clock: first 2 was idle, then 0, and 1 decided alone.",
        "All three are idle by now. Which of them fell silent first, and what did the others say then?",
    );
}

#[test]
fn however_often_one_looks_at_the_clock_the_watermark_is_the_same() {
    let step = ((0..3_i32, any::<i8>()), 0..5_u64);
    for_all(vec(step, 1..12), |steps| {
        let read = |every_second: bool| {
            let mut watched = Watched::new(&[0, 1, 2], minutes(15), AFTER_2_S);
            let mut clock_s = 0;
            for ((partition, minute), pause_s) in &steps {
                let timestamp_ms = at("06:00") + i64::from(*minute) * 60_000;
                watched.record(*partition, timestamp_ms, seconds(clock_s));
                for second in 1..=*pause_s {
                    if every_second || second == *pause_s {
                        watched.time(seconds(clock_s + second));
                    }
                }
                clock_s += pause_s;
            }
            watched
        };
        let (seldom, often) = (read(false), read(true));
        rule("Whether one looks at the clock every second or seldom, the watermark is the same.")
            .picture(seldom.timeline.to_string())
            .ask("At one look two partitions are silent for long. In which order did they become idle?")
            .same_bytes(
                shown(seldom.watermark.current_ms()),
                shown(often.watermark.current_ms()),
            );
    });
}

/// A made stream: three partitions take turns, a record each 10 ms, but from record 300 to 899
/// partition 2 is silent, for 6 s. It wakes up with records of the present.
#[test]
fn a_partition_that_falls_silent_holds_the_watermark_no_longer_than_the_time_out() {
    let flights = Generator::out_of_order(2013, minutes(15)).expect("a bound of whole minutes");
    let records = RecordGenerator::new(flights).with_partitions(3).expect("three");
    let records = records.with_silence(2, 300..900).expect("one of the three");
    for (idle_after, holds_still) in [(None, true), (AFTER_2_S, false), (Some(seconds(7)), true)] {
        let mut watermark = CombinedWatermark::new(&[0, 1, 2], minutes(15), idle_after);
        let mut before_it_wakes = None;
        for position in 0..1_200 {
            let clock = position * Duration::from_millis(10);
            let Generated::Flight { flight, .. } = records.record(position) else {
                unreachable!("nothing but flights was asked for")
            };
            watermark.on_time(clock);
            if position == 900 {
                before_it_wakes = Some(watermark.clone());
            }
            watermark.on_record(records.partition(position), flight.scheduled_ms, clock);
        }
        let before_it_wakes = before_it_wakes.expect("there are more than 900 records");
        let each_ms = before_it_wakes.each_ms();
        let expected_ms =
            if holds_still { each_ms[&2] } else { Ord::min(each_ms[&0], each_ms[&1]) };
        let idle = idle_after.map_or("never".to_owned(), |after| format!("after {after:?}"));
        let picture = format!(
            "a record each 10 ms · partition 2 is silent from 3 s to 9 s · idle {idle}\n\
             at 9 s: partitions at {}, {}, {}",
            shown(each_ms[&0]),
            shown(each_ms[&1]),
            shown(each_ms[&2]),
        );
        rule("A silent partition holds the watermark until it is idle; then the others decide.")
            .picture(&picture)
            .ask("For how long was partition 2 silent, and how long is it waited for?")
            .same_bytes(shown(before_it_wakes.current_ms()), shown(expected_ms));
        rule("Who wakes up with records of the present brings nothing late, and is waited for again.")
            .picture(&picture)
            .same(
                (watermark.idle().is_empty(), watermark.counts()),
                (true, Counts { on_time: 1_200, late: 0 }),
            );
    }
}

#[test]
fn silence_counts_anew_after_each_record() {
    let mut watched = Watched::new(&[0, 1], Duration::ZERO, AFTER_2_S);
    for clock_s in 0..6 {
        watched.record(0, at("06:10"), seconds(clock_s));
        watched.time(seconds(clock_s) + Duration::from_millis(999));
    }
    rule("A partition that speaks every second is not idle after two.")
        .picture(watched.timeline.to_string())
        .ask("From when does this code count the silence of partition 0?")
        .same(watched.watermark.idle().clone(), BTreeSet::from([1]));
}

#[test]
fn a_partition_that_its_reader_has_paused_is_not_idle() {
    let mut watched = Watched::new(&[0, 1], Duration::ZERO, AFTER_2_S);
    watched.record(0, at("06:10"), seconds(0));
    watched.record(1, at("06:50"), seconds(0));
    watched.watermark.on_paused(1, seconds(2));
    watched.time(seconds(3));
    rule("Who is silent by order is not idle: its next records are known to be there.")
        .picture(watched.timeline.to_string())
        .same(watched.watermark.idle().clone(), BTreeSet::from([0]));
}

#[test]
fn a_partition_that_is_added_later_does_not_take_the_watermark_back() {
    let mut watched = Watched::new(&[0], Duration::ZERO, AFTER_2_S);
    watched.record(0, at("06:40"), seconds(1));
    watched.record(3, at("06:20"), seconds(1));
    watched.stands_at(
        Some("06:40"),
        "The combined watermark never goes back, not for a new partition either.",
        "What was given out before partition 3 was known?",
    );
    watched.time(seconds(3));
    rule("A partition that was added later can become idle like any other.")
        .picture(watched.timeline.to_string())
        .same(watched.watermark.idle().clone(), BTreeSet::from([0, 3]));
}

#[test]
fn a_partition_that_was_found_is_waited_for_before_its_first_record() {
    let mut watched = Watched::new(&[0], Duration::ZERO, AFTER_2_S);
    watched.record(0, at("06:40"), seconds(1));
    watched.watermark.add_partition(3, seconds(2));
    watched.record(0, at("06:50"), seconds(3));
    watched.stands_at(
        Some("06:40"),
        "A partition that was added is waited for from the moment in which it is found.",
        "Which timestamp may the first record of partition 3 have?",
    );
    watched.record(0, at("06:55"), Duration::from_millis(3_900));
    watched.time(Duration::from_millis(3_999));
    watched.stands_at(
        Some("06:40"),
        "The silence of a partition that was added counts from the moment in which it is found.",
        "Partition 3 was found at 2 s. When has it been silent for 2 s?",
    );
    watched.time(seconds(4));
    watched.stands_at(
        Some("06:55"),
        "A partition that was added can become idle like any other.",
        "Partition 3 was found at 2 s. When has it been silent for 2 s?",
    );
    watched.watermark.add_partition(0, seconds(4));
    watched.record(0, at("07:00"), seconds(4));
    watched.stands_at(
        Some("07:00"),
        "A partition that is known is not added once more.",
        "What was known of partition 0?",
    );
}

#[test]
fn whatever_comes_the_watermark_never_goes_back_and_late_is_what_is_behind_it() {
    // A partition and a minute, or no record; then so many seconds pass.
    let step = (proptest::option::of((0..3_i32, any::<i8>())), 0..3_u64);
    for_all(vec(step, 1..20), |steps| {
        let mut watched = Watched::new(&[0, 1, 2], minutes(15), AFTER_2_S);
        let (mut clock_s, mut before_ms) = (0, None);
        for (record, pause_s) in steps {
            if let Some((partition, minute)) = record {
                let timestamp_ms = at("06:00") + i64::from(minute) * 60_000;
                let late = watched.record(partition, timestamp_ms, seconds(clock_s));
                rule("A record is late when it is behind the combined watermark that stood before it.")
                    .picture(watched.timeline.to_string())
                    .same(late, before_ms.is_some_and(|before_ms| timestamp_ms < before_ms));
            }
            clock_s += pause_s;
            watched.time(seconds(clock_s));
            let now_ms = watched.watermark.current_ms();
            rule("Whatever comes and however time passes, the combined watermark never goes back.")
                .picture(watched.timeline.to_string())
                .holds(
                    now_ms >= before_ms,
                    format!("{} after {}", shown(now_ms), shown(before_ms)),
                );
            before_ms = now_ms;
        }
    });
}

/// Made flights, none of them late. The clock at LGA stamps its event times ten minutes too far.
#[test]
fn a_fast_clock_makes_others_late_in_its_own_partition_alone() {
    let flights = Generator::out_of_order(2013, minutes(15)).expect("a bound of whole minutes");
    for (partition_of_lga, fast_min, expected) in [(0, 0, 0), (0, 10, 343), (1, 10, 0)] {
        let mut watermark = CombinedWatermark::new(&[0, partition_of_lga], minutes(15), None);
        for flight in (0..900).map(|id| flights.flight(id)) {
            let is_fast = flight.origin == "LGA";
            let partition = if is_fast { partition_of_lga } else { 0 };
            let off_ms = if is_fast { fast_min * 60_000 } else { 0 };
            watermark.on_record(partition, flight.scheduled_ms + off_ms, Duration::ZERO);
        }
        rule("A fast clock moves the watermark of its partition. Together the slowest decides.")
            .picture(format!(
                "900 made flights, bound 15 min · event times at LGA are {fast_min} min too late\n\
                 EWR and JFK are in partition 0, LGA in partition {partition_of_lga}"
            ))
            .ask("Whose records move the watermark that the others are judged by?")
            .same(watermark.counts().late, expected);
    }
}
