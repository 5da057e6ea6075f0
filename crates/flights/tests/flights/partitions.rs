//! Where the records of a stream lie.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::time::Duration;

use flights::record_generator::ShareError;
use flights::{Generated, Generator, RecordGenerator};
use proptest::prelude::*;

/// A stream with all that can be in it, and what it was made from.
#[derive(Debug, Clone)]
struct Plan {
    seed: u64,
    partitions: i32,
    late_one_in: Option<u32>,
    duplicates: Option<(u32, u32)>,
    poison_one_in: Option<u32>,
}

const BOUND: Duration = Duration::from_mins(15);
const LATE_BY: Duration = Duration::from_mins(20);

impl Plan {
    fn flights(&self) -> Generator {
        let flights = Generator::out_of_order(self.seed, BOUND).unwrap();
        match self.late_one_in {
            Some(one_in) => flights.with_late(one_in, LATE_BY).unwrap(),
            None => flights,
        }
    }

    fn records(&self) -> RecordGenerator {
        let mut records =
            RecordGenerator::new(self.flights()).with_partitions(self.partitions).unwrap();
        if let Some((one_in, max_distance)) = self.duplicates {
            records = records.with_duplicates(one_in, max_distance).unwrap();
        }
        if let Some(one_in) = self.poison_one_in {
            records = records.with_poison(one_in).unwrap();
        }
        records
    }
}

fn any_plan() -> impl Strategy<Value = Plan> {
    let duplicates = (2..60_u32).prop_flat_map(|one_in| (Just(one_in), 1..one_in));
    (
        any::<u64>(),
        1..=6_i32,
        prop::option::of(2..60_u32),
        prop::option::of(duplicates),
        prop::option::of(2..60_u32),
    )
        .prop_map(|(seed, partitions, late_one_in, duplicates, poison_one_in)| Plan {
            seed,
            partitions,
            late_one_in,
            duplicates,
            poison_one_in,
        })
}

/// A plan with at least two partitions, one of them, and positions at which it is silent.
fn any_silence() -> impl Strategy<Value = (Plan, i32, Range<u32>)> {
    let partitions = (2..=6_i32).prop_flat_map(|partitions| (Just(partitions), 0..partitions));
    (any_plan(), partitions, 0..500_u32, 0..500_u32).prop_map(
        |(plan, (partitions, silent), first, length)| {
            (Plan { partitions, ..plan }, silent, first..first + length)
        },
    )
}

/// By how many minutes each record is behind the watermark of its own partition; no poison pills.
fn minutes_late(records: &RecordGenerator, length: u32) -> Vec<Option<i64>> {
    let mut max_ms: BTreeMap<i32, i64> = BTreeMap::new();
    let mut late = Vec::new();
    for position in 0..length {
        let Generated::Flight { flight, .. } = records.record(position) else { continue };
        let max_ms = max_ms.entry(records.partition(position)).or_insert(flight.scheduled_ms);
        let watermark_ms = *max_ms - BOUND.as_millis() as i64;
        *max_ms = flight.scheduled_ms.max(*max_ms);
        let behind_ms = watermark_ms - flight.scheduled_ms;
        late.push((behind_ms > 0).then_some(behind_ms / 60_000));
    }
    late
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn of_each_round_of_flights_each_partition_gets_one(plan in any_plan(), length in 1..500_u32) {
        let records = plan.records();
        let mut round = BTreeSet::new();
        for position in 0..length {
            let Generated::Flight { id, .. } = records.record(position) else { continue };
            if !plan.flights().is_late(id) {
                prop_assert!(round.insert(records.partition(position)), "position {}", position);
            }
            if round.len() == plan.partitions as usize {
                prop_assert_eq!(&round, &BTreeSet::from_iter(0..plan.partitions));
                round.clear();
            }
        }
    }

    #[test]
    fn within_its_partition_a_record_is_late_exactly_where_it_is_late_in_the_stream(
        plan in any_plan(),
        length in 1..500_u32,
    ) {
        // Without duplicates: those keep the slot of their first copy.
        let plan = Plan { duplicates: None, ..plan };
        let late = minutes_late(&plan.records(), length);
        let expected = (0..).map(|id| plan.flights().is_late(id).then_some(20));
        prop_assert_eq!(&late, &expected.take(late.len()).collect::<Vec<_>>());
    }

    #[test]
    fn a_duplicate_lies_with_its_first_copy_and_a_pill_with_the_next_record(
        plan in any_plan(),
        length in 1..500_u32,
    ) {
        let records = plan.records();
        let mut partition_of: HashMap<u32, i32> = HashMap::new();
        let mut pill_at = None;
        for position in 0..length {
            let partition = records.partition(position);
            if let Some(pill_at) = pill_at.take() {
                prop_assert_eq!(partition, records.partition(pill_at));
            }
            match records.record(position) {
                Generated::Flight { id, .. } => drop(partition_of.insert(id, partition)),
                Generated::Duplicate { id, .. } => prop_assert_eq!(partition, partition_of[&id]),
                Generated::Poison(_) => pill_at = Some(position),
            }
        }
    }

    #[test]
    fn a_silent_partition_has_no_record_there_and_all_else_is_as_before(
        (plan, silent, positions) in any_silence(),
    ) {
        let busy = plan.records();
        let records = busy.with_silence(silent, positions.clone()).unwrap();
        for position in 0..1000 {
            prop_assert_eq!(records.record(position), busy.record(position));
            let expected = match busy.partition(position) {
                at if at == silent && positions.contains(&position) => (at + 1) % plan.partitions,
                at => at,
            };
            prop_assert_eq!(records.partition(position), expected, "position {}", position);
        }
    }

    #[test]
    fn a_silence_makes_nothing_late((plan, silent, positions) in any_silence()) {
        let plan = Plan { duplicates: None, late_one_in: None, ..plan };
        let records = plan.records().with_silence(silent, positions).unwrap();
        prop_assert!(minutes_late(&records, 1500).iter().all(Option::is_none));
    }
}

#[test]
fn a_million_records_on_four_busy_partitions_are_within_the_bound_of_their_own() {
    let plan = Plan {
        seed: 2013,
        partitions: 4,
        late_one_in: None,
        duplicates: None,
        poison_one_in: None,
    };
    let records = plan.records();
    assert!(minutes_late(&records, 1_000_000).iter().all(Option::is_none));
    let each: BTreeMap<i32, u32> = (0..1_000_000).fold(BTreeMap::new(), |mut each, position| {
        *each.entry(records.partition(position)).or_default() += 1;
        each
    });
    assert_eq!(each, BTreeMap::from([0, 1, 2, 3].map(|partition| (partition, 250_000))));
}

#[test]
fn without_partitions_there_is_one() {
    let records = RecordGenerator::new(Generator::in_order(7));
    assert_eq!([0, 1, u32::MAX].map(|position| records.partition(position)), [0, 0, 0]);
}

#[test]
fn partitions_that_cannot_be_are_refused() {
    let records = RecordGenerator::new(Generator::in_order(7));
    let refused = |result: Result<RecordGenerator, ShareError>| result.unwrap_err().to_string();
    for found in [0, -1, i32::MIN] {
        assert_eq!(
            refused(records.with_partitions(found)),
            format!("expected 1 partition or more, found {found}")
        );
    }
    let three = records.with_partitions(3).unwrap();
    for (stream, partition, partitions) in [(records, 0, 1), (three, 3, 3), (three, -1, 3)] {
        assert_eq!(
            refused(stream.with_silence(partition, 0..10)),
            format!(
                "expected a silent partition among 2 or more, found {partition} of {partitions}"
            )
        );
    }
    assert_eq!(
        refused(three.with_silence(2, 0..10).unwrap().with_partitions(2)),
        "expected a silent partition among 2 or more, found 2 of 2"
    );
    assert!(records.with_partitions(i32::MAX).unwrap().partition(u32::MAX) >= 0);
}
