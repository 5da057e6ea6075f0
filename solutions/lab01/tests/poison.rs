//! The generator's records against the reader of step 1: it takes every flight and refuses every
//! poison pill, each kind for its own reason.

use std::time::Duration;

use flights::{Generated, Generator, PoisonKind, RecordGenerator};
use lab01_solution::event::{EventError, MAX_EVENT_BYTES, decode, encode};
use lab01_solution::record::to_record;

const RECORDS: u32 = 70_000;
const POISON_ONE_IN: u32 = 10;

fn records(seed: u64) -> RecordGenerator {
    RecordGenerator::new(Generator::out_of_order(seed, Duration::from_secs(3600)).unwrap())
        .with_duplicates(20, 19)
        .unwrap()
        .with_poison(POISON_ONE_IN)
        .unwrap()
}

#[test]
fn every_flight_is_taken_and_every_poison_pill_refused() {
    for seed in [0, 7, u64::MAX] {
        let mut refused = 0;
        for position in 0..RECORDS {
            match records(seed).record(position) {
                Generated::Flight { flight, .. } | Generated::Duplicate { flight, .. } => {
                    let payload = encode(&flight).expect("a generated flight is possible");
                    assert_eq!(decode(&payload).expect("it is taken"), flight);
                }
                Generated::Poison(pill) => {
                    let payload = pill.payload.unwrap_or_default();
                    let taken = decode(&payload);
                    assert!(taken.is_err(), "seed {seed}, position {position}: {}", pill.kind);
                    refused += 1;
                }
            }
        }
        assert_eq!(refused, RECORDS / POISON_ONE_IN);
    }
}

#[test]
fn each_kind_of_poison_is_refused_for_its_own_reason() {
    let flight = Generator::in_order(7).flight(0);
    for kind in PoisonKind::ALL {
        let reason = decode(&kind.spoil(&flight).payload.unwrap_or_default()).unwrap_err();
        let expected = match kind {
            PoisonKind::Truncated => "EOF while parsing",
            PoisonKind::NotUtf8 => "invalid unicode code point",
            PoisonKind::WrongType => "wrong field `flight`: invalid type: string",
            PoisonKind::MissingField => "missing field `delay_min`",
            PoisonKind::Empty | PoisonKind::Tombstone => "EOF while parsing a value",
            PoisonKind::Oversized => "expected at most 65536",
        };
        assert!(reason.to_string().contains(expected), "{kind}: {reason}");
        assert!(!reason.to_string().contains("`.`"), "no field is called so: {kind}: {reason}");
    }
}

#[test]
fn oversized_is_one_byte_too_long_and_nothing_else() {
    let flight = Generator::in_order(7).flight(0);
    let mut payload = PoisonKind::Oversized.spoil(&flight).payload.unwrap();
    let found_bytes = MAX_EVENT_BYTES + 1;
    let refused = decode(&payload).unwrap_err();
    assert!(matches!(refused, EventError::TooLong { found_bytes: found } if found == found_bytes));
    payload.pop();
    assert_eq!(decode(&payload).expect("it is short enough now"), flight);
}

#[test]
fn a_poison_pill_has_key_and_time_of_the_record_it_was_to_be() {
    let flight = Generator::in_order(7).flight(0);
    let record = to_record(&flight).unwrap();
    for kind in PoisonKind::ALL {
        let pill = kind.spoil(&flight);
        assert_eq!((pill.key, pill.timestamp_ms), (record.key.clone(), record.timestamp_ms));
    }
}
