//! Times, records and checkpoints that the tests use, made without the learner's code.

use std::fmt::{Debug, Display};
use std::time::Duration;

use flights::{Flight, utc};
use lab05::board::BoardConfig;
use lab06::checkpoint::{FORMAT, JobState, VERSION};
use lab06::state::{Checkpoint, Fingerprint, SavedCounts, SavedKey, SavedPartition, SavedWindow};
use lab06::store::Output;
use lab06::turn::{Input, Record};
use testkit::Rule;

/// The topic of tests that have none.
pub const TOPIC: &str = "flights";

/// An instant of 8 February 2013, the first day of the blizzard: `at("06:10")`.
pub fn at(clock: &str) -> i64 {
    utc::parse(&format!("2013-02-08T{clock}:00Z")).expect("a time of the day")
}

/// An instant as its time of the day: `06:10`, or `none`.
pub fn clock(instant_ms: Option<i64>) -> String {
    instant_ms.map_or("none".to_owned(), |ms| utc::format(ms)[11..16].to_owned())
}

/// So many minutes.
pub const fn minutes(count: u64) -> Duration {
    Duration::from_secs(60 * count)
}

/// Windows of an hour, a bound of 15 min, corrections for 30 min, nobody ever idle.
pub fn board() -> BoardConfig {
    BoardConfig {
        window: minutes(60),
        bound: minutes(15),
        allowed_lateness: minutes(30),
        idle_after: None,
        allowed_ahead: minutes(60),
    }
}

/// A flight from an airport with a slot and a delay.
pub fn flight(origin: &str, scheduled_ms: i64, delay_min: i32) -> Flight {
    Flight {
        carrier: "UA".to_owned(),
        flight: 1545,
        tail: None,
        origin: origin.to_owned(),
        dest: "IAH".to_owned(),
        distance_miles: 1400,
        scheduled_ms,
        delay_min,
    }
}

/// The record of a flight: its timestamp is the departure.
pub fn record_of(partition: i32, offset: i64, flight: &Flight) -> Record {
    let payload = lab01::event::encode(flight).expect("it is a flight");
    Record { partition, offset, timestamp_ms: flight.departed_ms(), payload }
}

/// A record of a flight from an airport: `record(1, 41, "EWR", "06:10", 5)`.
pub fn record(partition: i32, offset: i64, origin: &str, slot: &str, delay_min: i32) -> Record {
    record_of(partition, offset, &flight(origin, at(slot), delay_min))
}

/// A record that is no flight.
pub fn no_flight(partition: i32, offset: i64) -> Record {
    Record { partition, offset, timestamp_ms: at("06:00"), payload: b"a flight".to_vec() }
}

/// Takes inputs one after the other, as the loop does, at zero of the reader's clock; gives what
/// they brought about.
pub fn go_through(state: &mut JobState, inputs: &[Input]) -> Output {
    let mut output = Output::default();
    for input in inputs {
        output.append(state.process(input, Duration::ZERO));
        if let Input::Record(record) = input {
            state.advance(record);
        }
    }
    output
}

/// A job on three partitions that has seen something of everything: a window that has fired and was
/// corrected, one that is open, a late record, a dropped one, one of the far future, one that is no
/// flight, an idle partition, and one that has not spoken.
pub fn eventful() -> JobState {
    let first = [(0, 100), (1, 0), (2, 0)].into();
    let mut state = JobState::begin(&first, &board()).expect("an hour is a window's length");
    go_through(
        &mut state,
        &[
            Input::EndOf(2),
            Input::Record(record(1, 0, "EWR", "06:10", 16)),
            Input::Record(record(0, 100, "LGA", "06:40", 0)),
            Input::Record(no_flight(1, 1)),
            Input::Record(record(1, 2, "EWR", "07:20", 30)),
            Input::Record(record(0, 101, "LGA", "07:30", -4)),
            Input::Record(record(1, 3, "EWR", "06:50", 40)),
            Input::Record(record(0, 102, "JFK", "05:10", 200)),
            Input::Record(Record {
                timestamp_ms: at("06:30"),
                ..record(0, 103, "JFK", "23:00", 0)
            }),
        ],
    );
    state
}

/// What the checkpoint of [`eventful`] holds, written by hand. The watermark is 07:05, 15 min behind
/// partition 1, since nobody waits for partition 2.
pub fn eventful_checkpoint() -> Checkpoint {
    let partition = |partition, record: Option<Record>, max_timestamp_ms, idle| SavedPartition {
        partition,
        next_offset: record.as_ref().map_or(0, |record| record.offset + 1),
        last_record: record.as_ref().map(fingerprint),
        max_timestamp_ms,
        idle,
    };
    let last_of_0 = Record { timestamp_ms: at("06:30"), ..record(0, 103, "JFK", "23:00", 0) };
    let last_of_1 = record(1, 3, "EWR", "06:50", 40);
    Checkpoint {
        id: 7,
        topic: TOPIC.to_owned(),
        finished: false,
        partitions: vec![
            partition(0, Some(last_of_0), Some(at("07:30")), false),
            partition(1, Some(last_of_1), Some(at("07:20")), false),
            partition(2, None, None, true),
        ],
        watermark_ms: Some(at("07:05")),
        allowed_lateness_ms: 30 * 60_000,
        windows: vec![
            window("06:00", true, vec![key("EWR", [16, 40], 2), key("LGA", [0], 1)]),
            window("07:00", false, vec![key("EWR", [30], 0), key("LGA", [-4], 0)]),
        ],
        counts: SavedCounts {
            read: 7,
            late: 2,
            window_gone: 1,
            too_far_ahead: 1,
            no_window: 0,
            results: 3,
            unreadable: 1,
        },
    }
}

/// A window of an hour as a checkpoint has it.
pub fn window(start: &str, has_fired: bool, keys: Vec<SavedKey>) -> SavedWindow {
    SavedWindow { start_ms: at(start), end_ms: at(start) + 3_600_000, has_fired, keys }
}

/// A key of a window as a checkpoint has it: the airport and its delays.
pub fn key<const N: usize>(key: &str, delays_min: [i32; N], revision: u32) -> SavedKey {
    SavedKey {
        key: key.to_owned(),
        count: N as u64,
        sum_min: delays_min.iter().map(|delay_min| i64::from(*delay_min)).sum(),
        worst_min: delays_min.iter().max().copied(),
        over_15_min: delays_min.iter().filter(|delay_min| **delay_min > 15).count() as u64,
        revision,
    }
}

/// A checkpoint of one partition that was read to an offset.
pub fn read_to(id: u64, topic: &str, next_offset: i64) -> Checkpoint {
    Checkpoint {
        id,
        topic: topic.to_owned(),
        finished: false,
        partitions: vec![SavedPartition {
            partition: 0,
            next_offset,
            last_record: None,
            max_timestamp_ms: None,
            idle: false,
        }],
        watermark_ms: None,
        allowed_lateness_ms: 0,
        windows: Vec::new(),
        counts: SavedCounts::default(),
    }
}

/// A record's fingerprint.
pub fn fingerprint(record: &Record) -> Fingerprint {
    Fingerprint {
        offset: record.offset,
        timestamp_ms: record.timestamp_ms,
        payload_crc32: crc32fast::hash(&record.payload),
    }
}

/// Bytes as a program of this version writes them, around any body.
pub fn with_head(body: &str) -> Vec<u8> {
    with_head_of(VERSION, body)
}

/// Bytes as a program of some version writes them, around any body.
pub fn with_head_of(version: u32, body: &str) -> Vec<u8> {
    let crc32 = crc32fast::hash(body.as_bytes());
    format!("{FORMAT} {version} crc32={crc32:08x} bytes={}\n{body}", body.len()).into_bytes()
}

/// Results as text, in their order: `[06:00,07:00) EWR: 2 of 56 min, revision 2`.
pub fn told(output: &Output) -> String {
    let results = output.results.iter().map(|result| {
        let (start, end) = (clock(Some(result.window.start_ms)), clock(Some(result.window.end_ms)));
        let (delays, revision) = (result.delays, result.revision);
        format!(
            "[{start},{end}) {}: {} of {} min, revision {revision}",
            result.key, delays.count, delays.sum_min
        )
    });
    let place = |partition, offset, what| format!("{what} {partition}@{offset}");
    let dropped = output.dropped.iter().map(|it| place(it.partition, it.offset, "dropped"));
    let unreadable = output.unreadable.iter().map(|it| place(it.partition, it.offset, "no flight"));
    let all: Vec<String> = results.chain(dropped).chain(unreadable).collect();
    if all.is_empty() { "nothing".to_owned() } else { all.join("; ") }
}

/// The call is refused with the error that `expected` names and `is_it` recognises. Its sentence is the
/// learner's own, and all of `facts` stand in it.
#[track_caller]
pub fn refuses_naming<T: Debug, E: Display>(
    rule: Rule,
    result: Result<T, E>,
    expected: &str,
    is_it: impl FnOnce(&E) -> bool,
    facts: &[&str],
) {
    let mut expected = format!("{expected}, in a sentence of your own");
    if !facts.is_empty() {
        expected += &format!(" that names {}", facts.join(" and "));
    }
    let sentence = result.as_ref().err().map(E::to_string);
    let missing: Vec<&str> = facts
        .iter()
        .filter(|fact| sentence.as_ref().is_some_and(|sentence| !is_named(sentence, fact)))
        .copied()
        .collect();
    if !missing.is_empty() {
        expected += &format!("\nmissing   {}", missing.join(" and "));
    }
    rule.refuses(result, &expected, |error| is_it(error) && missing.is_empty());
}

/// Whether a number or a name stands in a sentence, and not as a part of a longer one. Behind a number
/// may stand its unit.
pub fn is_named(sentence: &str, fact: &str) -> bool {
    let is_number = fact.ends_with(|c: char| c.is_ascii_digit());
    let in_a_word = |c: char| if is_number { c.is_ascii_digit() } else { c.is_alphanumeric() };
    sentence.match_indices(fact).any(|(start, _)| {
        let (before, behind) = (&sentence[..start], &sentence[start + fact.len()..]);
        !before.ends_with(in_a_word) && !behind.starts_with(in_a_word)
    })
}
