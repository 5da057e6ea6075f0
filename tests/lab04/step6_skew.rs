//! Step 6: partitions that are read at different speeds.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use flights::Generator;
use lab04::skew::{drifts, to_pause};
use proptest::collection::btree_map;
use testkit::{for_all, rule};
use timeline::instants::Instants;
use timeline::span;

use super::at_hand::{at, minutes};

type Watermarks = BTreeMap<i32, Option<i64>>;

fn watermarks(each: &[Option<&str>]) -> Watermarks {
    (0..).zip(each.iter().map(|clock| clock.map(at))).collect()
}

fn picture(watermarks_ms: &Watermarks) -> String {
    let instants = Instants::new(watermarks_ms.values().copied().flatten());
    let line = |(id, watermark_ms): (&i32, &Option<i64>)| {
        format!(" partition {id}   watermark {}", instants.optional(*watermark_ms))
    };
    watermarks_ms.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_drift_is_counted_from_the_slowest_partition() {
    let each = watermarks(&[Some("06:00"), Some("08:30"), Some("06:00"), Some("06:00:00.001")]);
    rule("The drift of a partition is how far its watermark is ahead of the slowest one's.")
        .picture(picture(&each))
        .ask("Ahead of which partition is each of them, and by how much?")
        .same(
            drifts(&each),
            BTreeMap::from([
                (0, Duration::ZERO),
                (1, minutes(150)),
                (2, Duration::ZERO),
                (3, Duration::from_millis(1)),
            ]),
        );
}

#[test]
fn a_partition_that_has_not_spoken_has_no_drift() {
    let each = watermarks(&[Some("06:00"), None, Some("07:00")]);
    rule("Where a partition is that has not spoken, nobody knows. It is left out.")
        .picture(picture(&each))
        .ask("If partition 1 stood at the beginning of time, what would be paused, and until when?")
        .same(drifts(&each), BTreeMap::from([(0, Duration::ZERO), (2, minutes(60))]));
    rule("Where nobody has spoken, there is no drift.")
        .same(drifts(&watermarks(&[None, None])), BTreeMap::new());
}

#[test]
fn what_is_too_far_ahead_is_paused() {
    let each =
        watermarks(&[Some("06:00"), Some("07:00"), Some("07:00:00.001"), Some("23:00"), None]);
    rule("Paused is what is ahead of the slowest by more than the allowed drift.")
        .picture(format!("{}\n at most 1 h of drift", picture(&each)))
        .ask("One of them is ahead by exactly an hour. On which side of the rule is it?")
        .same(to_pause(&each, minutes(60)), BTreeSet::from([2, 3]));
}

#[test]
fn at_the_ends_of_i64_no_drift_wraps() {
    let each = Watermarks::from([(0, Some(i64::MIN)), (1, Some(0)), (2, Some(i64::MAX))]);
    let question = "How far is the one ahead of the other, and does that fit into an i64?";
    rule("The drift of any two watermarks is told.").picture(picture(&each)).ask(question).same(
        drifts(&each),
        BTreeMap::from([
            (0, Duration::ZERO),
            (1, Duration::from_millis(i64::MIN.unsigned_abs())),
            (2, Duration::from_millis(u64::MAX)),
        ]),
    );
    rule("What is ahead by the whole range is ahead by more than an hour.")
        .picture(picture(&each))
        .ask(question)
        .same(to_pause(&each, minutes(60)), BTreeSet::from([1, 2]));
}

#[test]
fn the_slowest_partition_is_never_paused() {
    let hour = 3_600_000;
    let each = btree_map(0..6_i32, proptest::option::of(0..48_i64), 0..6);
    for_all((each, 0..1_440_u64), |(each, drift_min)| {
        let each: Watermarks = each
            .into_iter()
            .map(|(id, hours)| (id, hours.map(|hours| at("00:00") + hours * hour)))
            .collect();
        let max_drift = minutes(drift_min);
        let paused = to_pause(&each, max_drift);
        let slowest = each.iter().filter_map(|(id, ms)| Some(((*ms)?, *id))).min();
        let is_paused = slowest.is_some_and(|(_, id)| paused.contains(&id));
        rule("The slowest partition is read on, or nothing would ever move again.")
            .picture(format!("{}\n at most {} of drift", picture(&each), span::text(max_drift)))
            .ask("The others wait for the slowest. Whom does it wait for?")
            .holds(!is_paused, format!("paused are {paused:?}"));
    });
}

/// A reader after a restart: two partitions with a record a minute over two days. Of partition 1 ten
/// records come in the time of one of partition 0.
#[test]
fn paused_in_time_a_skewed_replay_holds_little_in_memory() {
    for (max_drift, expected) in
        [(minutes(60), 69), (minutes(240), 249), (Duration::MAX, TWO_DAYS_OF_MINUTES * 9 / 10)]
    {
        let limit =
            if max_drift == Duration::MAX { "any".to_owned() } else { span::text(max_drift) };
        let held = most_records_held(max_drift);
        rule("What is read ahead of the slowest partition is kept in memory: so much, not a day of it.")
            .picture(format!(
                "2 partitions · a record a minute for two days · partition 1 is read ten times as fast\n\
                 allowed drift: {limit} · without a limit 2,592 records are held"
            ))
            .ask("When is partition 1 paused here, and when is it read again?")
            .same_bytes(
                held.map_or("the reader stands still".to_owned(), |held| format!("{held} records held")),
                format!("{expected} records held"),
            );
    }
}

const TWO_DAYS_OF_MINUTES: i64 = 2 * 24 * 60;

/// The most records that are ahead of the slowest partition at any moment; `None` when the reader
/// comes to a moment at which it reads nothing more.
fn most_records_held(max_drift: Duration) -> Option<i64> {
    let mut read_minutes = [0, 0];
    let mut most = 0;
    while read_minutes[0] < TWO_DAYS_OF_MINUTES {
        let watermark_ms = |minute: i64| (minute > 0).then(|| (minute - 1) * 60_000);
        let each = (0..).zip(read_minutes.map(watermark_ms)).collect();
        let paused = to_pause(&each, max_drift);
        let before = read_minutes;
        for (partition, records) in [(0, 1), (1, 10)] {
            if !paused.contains(&partition) {
                let read = &mut read_minutes[partition as usize];
                *read = (*read + records).min(TWO_DAYS_OF_MINUTES);
            }
        }
        if read_minutes == before {
            return None;
        }
        most = most.max((read_minutes[1] - read_minutes[0]).abs());
    }
    Some(most)
}

/// A made stream with a hot key: 95 of 100 flights leave from EWR. With Kafka's own partitioner EWR
/// and JFK share partition 1, and LGA is on 0. The reader takes ten records of each in a turn.
#[test]
fn the_partition_with_the_hot_key_is_waited_for_and_the_other_is_paused() {
    let flights = Generator::in_order(2013).with_hot_airport("EWR", 95).expect("a share");
    let slots_ms = |partition: i32| -> Vec<i64> {
        let all = (0..10_000).map(|id| flights.flight(id));
        all.filter(|flight| i32::from(flight.origin != "LGA") == partition)
            .map(|flight| flight.scheduled_ms)
            .collect()
    };
    let slots_ms = [slots_ms(0), slots_ms(1)];
    let mut read = [0, 0];
    let (mut paused_ever, mut furthest) = (BTreeSet::new(), Duration::ZERO);
    while read[1] < slots_ms[1].len() {
        // In order and under a bound of zero, the watermark is the slot of the last record.
        let last_ms = |partition: usize| slots_ms[partition][..read[partition]].last().copied();
        let each_ms = Watermarks::from([(0, last_ms(0)), (1, last_ms(1))]);
        let paused = to_pause(&each_ms, minutes(10));
        furthest = drifts(&each_ms).into_values().fold(furthest, Duration::max);
        paused_ever.extend(&paused);
        rule("The partition with the hot key has the most to read and is never paused.")
            .picture(format!("{}\n at most 10 min of drift", picture(&each_ms)))
            .ask("Which of the two is ahead in event time: the one with many records, or with few?")
            .holds(!paused.contains(&1), format!("paused are {paused:?}"));
        for (partition, read) in (0..).zip(&mut read) {
            if !paused.contains(&(partition as i32)) {
                *read = (*read + 10).min(slots_ms[partition].len());
            }
        }
    }
    rule("The partition without the hot key is ahead, and is paused until the other has come nearer.")
        .picture("10,000 made flights, 95 % of them from EWR · at most 10 min of drift")
        .same(paused_ever, BTreeSet::from([0]));
    rule("Nobody is ahead by more than the allowed drift and one turn.")
        .picture("10,000 made flights, 95 % of them from EWR · at most 10 min of drift")
        .holds(furthest < minutes(25), format!("ahead by {}", span::text(furthest)));
}
