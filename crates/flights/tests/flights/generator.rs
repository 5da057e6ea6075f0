use std::collections::HashSet;
use std::time::Duration;

use flights::Generator;
use flights::generator::{MAX_BOUND, START_MS, STEP_MS};
use proptest::prelude::*;

const MINUTE: Duration = Duration::from_secs(60);

/// A generator of either kind, and its bound in milliseconds.
fn any_generator() -> impl Strategy<Value = (Generator, i64)> {
    (any::<u64>(), 0..=1440_u32).prop_map(|(seed, bound_min)| match bound_min {
        0 => (Generator::in_order(seed), 0),
        _ => (
            Generator::out_of_order(seed, bound_min * MINUTE).unwrap(),
            i64::from(bound_min) * 60_000,
        ),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_flight_is_a_pure_function_of_seed_and_id(
        (generator, _) in any_generator(),
        first: u32,
        between: u32,
    ) {
        let flight = generator.flight(first);
        generator.flight(between);
        let same = generator;
        prop_assert_eq!(same.flight(first), flight);
    }

    #[test]
    fn every_flight_is_possible((generator, _) in any_generator(), id: u32) {
        prop_assert_eq!(generator.flight(id).check(), Ok(()));
    }

    #[test]
    fn a_flight_arrives_at_its_step((generator, _) in any_generator(), id: u32) {
        let expected_ms = START_MS + i64::from(id) * STEP_MS;
        prop_assert_eq!(generator.flight(id).departed_ms(), expected_ms);
    }

    #[test]
    fn no_slot_is_behind_the_latest_earlier_one_by_more_than_the_bound(
        (generator, bound_ms) in any_generator(),
        first in 0..u32::MAX - 500,
    ) {
        let mut max_ms = i64::MIN;
        for id in first..first + 500 {
            let slot_ms = generator.flight(id).scheduled_ms;
            prop_assert!(slot_ms >= max_ms.saturating_sub(bound_ms), "id {}", id);
            max_ms = max_ms.max(slot_ms);
        }
    }

    #[test]
    fn in_order_the_slots_are_strictly_increasing(seed: u64, first in 0..u32::MAX - 500) {
        let generator = Generator::in_order(seed);
        let slots_ms = (first..first + 500).map(|id| generator.flight(id).scheduled_ms);
        prop_assert!(slots_ms.is_sorted_by(|earlier, later| earlier < later));
    }
}

#[test]
fn the_first_and_the_last_flight_are_possible() {
    let generator = Generator::out_of_order(7, MAX_BOUND).unwrap();
    assert_eq!(generator.flight(0).check(), Ok(()));
    assert_eq!(generator.flight(u32::MAX).check(), Ok(()));
}

#[test]
fn no_two_flights_share_slot_and_number() {
    let generator = Generator::out_of_order(7, MAX_BOUND).unwrap();
    let mut seen = HashSet::new();
    for id in 0..100_000 {
        let flight = generator.flight(id);
        assert!(seen.insert((flight.scheduled_ms, flight.flight)), "id {id}");
    }
}

#[test]
fn out_of_order_is_really_out_of_order_and_uses_the_whole_bound() {
    let generator = Generator::out_of_order(7, 15 * MINUTE).unwrap();
    let delays = (0..1000).map(|id| generator.flight(id).delay_min).collect::<HashSet<_>>();
    assert_eq!(delays, HashSet::from_iter(0..=15));
    let slots_ms = (0..1000).map(|id| generator.flight(id).scheduled_ms);
    assert!(!slots_ms.is_sorted(), "the slots are in order");
}

#[test]
fn another_seed_gives_another_stream_and_each_airport_has_its_share() {
    let [one, two] = [1, 2].map(|seed| {
        let generator = Generator::in_order(seed);
        (0..3000).map(|id| generator.flight(id)).collect::<Vec<_>>()
    });
    assert_ne!(one, two);
    for airport in ["EWR", "JFK", "LGA"] {
        let share = one.iter().filter(|flight| flight.origin == airport).count();
        assert!((900..1100).contains(&share), "{airport}: {share} of 3000");
    }
}

#[test]
fn the_stream_of_a_seed_never_changes() {
    // Tests of later labs count on these very flights.
    let generator = Generator::out_of_order(42, 60 * MINUTE).unwrap();
    let json = [0, 1, 1_000_000].map(|id| serde_json::to_string(&generator.flight(id)).unwrap());
    assert_eq!(json.join("\n"), include_str!("generated.jsonl").trim_end());
}

#[test]
fn a_bound_that_cannot_be_kept_is_refused() {
    for (bound, shown) in [
        (Duration::ZERO, "0ns"),
        (Duration::from_millis(90_500), "90.5s"),
        (MAX_BOUND + MINUTE, "86460s"),
        (Duration::MAX, "18446744073709551615.999999999s"),
    ] {
        assert_eq!(
            Generator::out_of_order(7, bound).unwrap_err().to_string(),
            format!("expected a bound of whole minutes from 1 min to 24 h, found {shown}")
        );
    }
}
