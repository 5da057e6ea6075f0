use std::collections::HashMap;
use std::time::Duration;

use flights::record_generator::ShareError;
use flights::{Flight, Generated, Generator, PoisonKind, PoisonPill, RecordGenerator};
use proptest::prelude::*;

/// What a stream is made from.
#[derive(Debug, Clone)]
struct Shares {
    seed: u64,
    duplicates: Option<(u32, u32)>,
    poison_one_in: Option<u32>,
}

impl Shares {
    fn flights(&self) -> Generator {
        Generator::out_of_order(self.seed, Duration::from_secs(3600)).unwrap()
    }

    fn records(&self) -> RecordGenerator {
        let mut records = RecordGenerator::new(self.flights());
        if let Some((one_in, max_distance)) = self.duplicates {
            records = records.with_duplicates(one_in, max_distance).unwrap();
        }
        if let Some(one_in) = self.poison_one_in {
            records = records.with_poison(one_in).unwrap();
        }
        records
    }
}

fn any_shares() -> impl Strategy<Value = Shares> {
    let duplicates = (2..60_u32).prop_flat_map(|one_in| (Just(one_in), 1..one_in));
    (any::<u64>(), prop::option::of(duplicates), prop::option::of(2..60_u32))
        .prop_map(|(seed, duplicates, poison_one_in)| Shares { seed, duplicates, poison_one_in })
}

fn is_poison(record: &Generated) -> bool {
    matches!(record, Generated::Poison(_))
}

fn is_duplicate(record: &Generated) -> bool {
    matches!(record, Generated::Duplicate { .. })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_record_is_a_pure_function_of_seed_and_position(
        shares in any_shares(),
        first: u32,
        between: u32,
    ) {
        let record = shares.records().record(first);
        shares.records().record(between);
        prop_assert_eq!(shares.records().record(first), record);
    }

    #[test]
    fn without_duplicates_and_pills_the_flights_are_those_of_the_generator(
        shares in any_shares(),
        length in 1..1000_u32,
    ) {
        let records = shares.records();
        let firsts: Vec<(u32, Flight)> = (0..length)
            .filter_map(|position| match records.record(position) {
                Generated::Flight { id, flight } => Some((id, flight)),
                _ => None,
            })
            .collect();
        let expected: Vec<(u32, Flight)> =
            (0..firsts.len() as u32).map(|id| (id, shares.flights().flight(id))).collect();
        prop_assert_eq!(firsts, expected);
    }

    #[test]
    fn each_block_of_records_has_exactly_one_poison_pill(shares in any_shares(), block in 0..1000_u32) {
        let records = shares.records();
        let length = shares.poison_one_in.unwrap_or(100);
        let first = block * length;
        let pills =
            (first..first + length).filter(|at| is_poison(&records.record(*at))).count();
        prop_assert_eq!(pills, usize::from(shares.poison_one_in.is_some()));
    }

    #[test]
    fn of_the_records_that_can_be_read_exactly_the_share_are_duplicates(
        shares in any_shares(),
        length in 1..1000_u32,
    ) {
        let records = shares.records();
        let readable: Vec<Generated> =
            (0..length).map(|at| records.record(at)).filter(|r| !is_poison(r)).collect();
        let duplicates = readable.iter().filter(|record| is_duplicate(record)).count();
        let expected = shares.duplicates.map_or(0, |(one_in, _)| readable.len() / one_in as usize);
        prop_assert_eq!(duplicates, expected);
    }

    #[test]
    fn a_duplicate_is_the_same_flight_within_the_distance_and_comes_once(
        shares in any_shares(),
        length in 1..1000_u32,
    ) {
        let records = shares.records();
        let max_distance = shares.duplicates.map_or(0, |(_, max_distance)| max_distance as usize);
        // For each flight: itself, where it stands among those that can be read, and if it came again.
        let mut seen: HashMap<u32, (Flight, usize, bool)> = HashMap::new();
        let readable = (0..length).map(|at| records.record(at)).filter(|r| !is_poison(r));
        for (index, record) in readable.enumerate() {
            match record {
                Generated::Flight { id, flight } => {
                    prop_assert!(seen.insert(id, (flight, index, false)).is_none(), "id {}", id);
                }
                Generated::Duplicate { id, flight } => {
                    let (first, first_index, again) = seen.get_mut(&id).expect("it came before");
                    prop_assert_eq!(&flight, &*first);
                    prop_assert!((1..=max_distance).contains(&(index - *first_index)));
                    prop_assert!(!*again, "id {} comes a third time", id);
                    *again = true;
                }
                Generated::Poison(_) => unreachable!("pills were left out"),
            }
        }
    }

    #[test]
    fn a_pill_has_key_and_time_of_the_next_record_that_is_none(
        shares in any_shares(),
        position in 0..u32::MAX - 2,
    ) {
        let records = shares.records();
        if let Generated::Poison(PoisonPill { key, timestamp_ms, .. }) = records.record(position) {
            // Two blocks can touch with their pills, three can't: a block has two records or more.
            let next = (position + 1..).map(|at| records.record(at)).find(|r| !is_poison(r));
            let Some(Generated::Flight { flight, .. } | Generated::Duplicate { flight, .. }) = next
            else {
                unreachable!("a stream has no end")
            };
            prop_assert_eq!((key, timestamp_ms), (flight.origin.clone(), flight.departed_ms()));
        }
    }
}

#[test]
fn duplicates_use_the_whole_distance_and_pills_every_place() {
    let records = RecordGenerator::new(Generator::in_order(7)).with_duplicates(10, 4).unwrap();
    let mut distances: Vec<u32> = (0..1000)
        .filter_map(|index| match records.record(index) {
            Generated::Duplicate { id, .. } => Some(index - index / 10 - id),
            _ => None,
        })
        .collect();
    distances.sort_unstable();
    distances.dedup();
    assert_eq!(distances, [1, 2, 3, 4]);

    let records = RecordGenerator::new(Generator::in_order(7)).with_poison(10).unwrap();
    let mut places: Vec<u32> =
        (0..1000).filter(|at| is_poison(&records.record(*at))).map(|at| at % 10).collect();
    places.sort_unstable();
    places.dedup();
    assert_eq!(places, Vec::from_iter(0..10));
}

#[test]
fn the_kinds_of_poison_take_turns() {
    let records = RecordGenerator::new(Generator::in_order(7)).with_poison(1000).unwrap();
    let kinds: Vec<PoisonKind> = (0..14_000)
        .filter_map(|position| match records.record(position) {
            Generated::Poison(pill) => Some(pill.kind),
            _ => None,
        })
        .collect();
    assert_eq!(kinds, [PoisonKind::ALL, PoisonKind::ALL].concat());
}

#[test]
fn the_records_of_a_seed_never_change() {
    // Tests of later labs count on these very records.
    let records = RecordGenerator::new(Generator::in_order(42))
        .with_duplicates(5, 4)
        .unwrap()
        .with_poison(4)
        .unwrap();
    let shown = |position| match records.record(position) {
        Generated::Flight { id, .. } => format!("{id}"),
        Generated::Duplicate { id, .. } => format!("{id} again"),
        Generated::Poison(pill) => pill.kind.to_string(),
    };
    let stream: Vec<String> = (0..24).map(shown).collect();
    assert_eq!(
        stream.join(", "),
        "0, 1, 2, truncated, 3, not UTF-8, 3 again, 4, 5, wrong type, 6, 7, 6 again, 8, 9, \
         missing field, 10, empty, 11, 8 again, 12, 13, 14, tombstone"
    );
}

#[test]
fn poison_is_spoiled_as_its_name_says() {
    let flight = super::flight("2013-02-18T11:15:00Z", -7);
    let json = serde_json::to_string(&flight).unwrap();
    let payload = |kind: PoisonKind| kind.spoil(&flight).payload;
    let text = |kind| String::from_utf8(payload(kind).unwrap()).unwrap();

    assert_eq!(text(PoisonKind::Truncated), json[..json.len() / 2]);
    let bytes = payload(PoisonKind::NotUtf8).unwrap();
    assert!(String::from_utf8(bytes.clone()).is_err());
    assert_eq!(String::from_utf8_lossy(&bytes), json.replace("\"UA\"", "\"\u{fffd}A\""));
    assert!(text(PoisonKind::WrongType).contains("\"flight\":\"1545\""));
    assert!(!text(PoisonKind::MissingField).contains("delay_min"));
    assert_eq!(payload(PoisonKind::Empty), Some(Vec::new()));
    assert_eq!(payload(PoisonKind::Tombstone), None);
    let oversized = text(PoisonKind::Oversized);
    assert_eq!((oversized.len(), oversized.trim_end()), (64 * 1024 + 1, json.as_str()));
}

#[test]
fn the_last_record_of_all_can_be_had() {
    let records = RecordGenerator::new(Generator::in_order(7))
        .with_duplicates(2, 1)
        .unwrap()
        .with_poison(2)
        .unwrap();
    records.record(u32::MAX);
    let unlimited = RecordGenerator::new(Generator::in_order(7));
    let with_large_shares =
        unlimited.with_duplicates(u32::MAX, u32::MAX - 1).unwrap().with_poison(u32::MAX).unwrap();
    with_large_shares.record(u32::MAX);
}

#[test]
fn a_share_or_a_distance_that_cannot_be_kept_is_refused() {
    let records = RecordGenerator::new(Generator::in_order(7));
    let refused = |result: Result<RecordGenerator, ShareError>| result.unwrap_err().to_string();
    assert_eq!(
        refused(records.with_duplicates(1, 1)),
        "expected one duplicate in 2 records or more, found one in 1"
    );
    assert_eq!(
        refused(records.with_duplicates(10, 10)),
        "expected a distance from 1 to 9, found 10"
    );
    assert_eq!(refused(records.with_duplicates(10, 0)), "expected a distance from 1 to 9, found 0");
    assert_eq!(
        refused(records.with_poison(0)),
        "expected one poison pill in 2 records or more, found one in 0"
    );
}
