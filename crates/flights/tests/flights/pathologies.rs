//! What is placed on purpose is there exactly where it was placed, and nothing else has changed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use flights::generator::{MAX_BOUND, MAX_CLOCK_OFF_MIN, MAX_LATE_BY, PathologyError};
use flights::{Flight, Generator};
use proptest::prelude::*;

const AIRPORTS: [&str; 3] = ["EWR", "JFK", "LGA"];

const MINUTE_MS: i64 = 60_000;

/// What a stream is made from.
#[derive(Debug, Clone)]
struct Plan {
    seed: u64,
    bound_min: u64,
    /// One in so many, by so many minutes.
    late: Option<(u32, u64)>,
    hot: Option<(&'static str, u32)>,
    clock_off: Option<(&'static str, i32)>,
}

impl Plan {
    fn generator(&self) -> Generator {
        let bound = Duration::from_mins(self.bound_min);
        let mut generator = match self.bound_min {
            0 => Generator::in_order(self.seed),
            _ => Generator::out_of_order(self.seed, bound).unwrap(),
        };
        if let Some((one_in, by_min)) = self.late {
            generator = generator.with_late(one_in, Duration::from_mins(by_min)).unwrap();
        }
        if let Some((airport, percent)) = self.hot {
            generator = generator.with_hot_airport(airport, percent).unwrap();
        }
        if let Some((airport, off_min)) = self.clock_off {
            generator = generator.with_clock_off(airport, off_min).unwrap();
        }
        generator
    }

    fn bound_ms(&self) -> i64 {
        self.bound_min as i64 * MINUTE_MS
    }

    /// By how many milliseconds the flight of an id is to be late; the rule of the documentation,
    /// not the generator's own word.
    fn late_by_ms(&self, id: u32) -> Option<i64> {
        let (one_in, by_min) = self.late?;
        (id % one_in == one_in - 1).then_some(by_min as i64 * MINUTE_MS)
    }
}

fn any_plan() -> impl Strategy<Value = Plan> {
    let airport = || prop::sample::select(AIRPORTS.to_vec());
    let off_min = (1..=MAX_CLOCK_OFF_MIN, any::<bool>())
        .prop_map(|(minutes, fast)| if fast { minutes } else { -minutes });
    (
        any::<u64>(),
        prop_oneof![Just(0), 1..30_u64, 1..=1440_u64],
        prop::option::of((2..60_u32, 1..=1440_u64)),
        prop::option::of((airport(), 1..=99_u32)),
        prop::option::of((airport(), off_min)),
    )
        .prop_map(|(seed, bound_min, late, hot, clock_off)| Plan {
            seed,
            bound_min,
            late,
            hot,
            clock_off,
        })
}

/// How far each flight is behind the watermark of the earlier ones with the same label, which is
/// the largest slot less the bound; `None` when it is on time.
fn behind_ms(
    flights: impl Iterator<Item = (String, Flight)>,
    bound_ms: i64,
) -> impl Iterator<Item = Option<i64>> {
    let mut max_ms: HashMap<String, i64> = HashMap::new();
    flights.map(move |(label, flight)| {
        let slot_ms = flight.scheduled_ms;
        let max_ms = max_ms.entry(label).or_insert(slot_ms);
        let watermark_ms = *max_ms - bound_ms;
        *max_ms = slot_ms.max(*max_ms);
        (slot_ms < watermark_ms).then(|| watermark_ms - slot_ms)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_flight_is_a_pure_function_of_seed_and_id(plan in any_plan(), first: u32, between: u32) {
        let flight = plan.generator().flight(first);
        plan.generator().flight(between);
        prop_assert_eq!(plan.generator().flight(first), flight);
    }

    #[test]
    fn every_flight_is_possible(plan in any_plan(), id: u32) {
        prop_assert_eq!(plan.generator().flight(id).check(), Ok(()));
    }

    #[test]
    fn exactly_the_named_flights_are_late_and_exactly_by_the_stated_span(
        plan in any_plan(),
        block in 0..1_000_000_u32,
        length in 1..1000_u32,
    ) {
        let generator = plan.generator();
        // From the first flight of a block on, so that no late one comes first.
        let first = block * plan.late.map_or(1, |(one_in, _)| one_in);
        let ids = || first..first + length;
        let expected: Vec<Option<i64>> = ids().map(|id| plan.late_by_ms(id)).collect();
        let named: Vec<bool> = ids().map(|id| generator.is_late(id)).collect();
        prop_assert_eq!(named, Vec::from_iter(expected.iter().map(Option::is_some)));

        let as_one = ids().map(|id| (String::new(), generator.flight(id)));
        let behind = behind_ms(as_one, plan.bound_ms());
        prop_assert_eq!(behind.collect::<Vec<_>>(), expected.clone());

        // The same among the flights of one airport, which share a key and so a partition.
        let by_airport =
            ids().map(|id| generator.flight(id)).map(|flight| (flight.origin.clone(), flight));
        let behind = behind_ms(by_airport, plan.bound_ms());
        prop_assert_eq!(behind.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn of_each_hundred_flights_that_are_not_late_exactly_the_share_has_the_hot_key(
        plan in any_plan(),
        hundred in 0..100_000_usize,
    ) {
        let (hot, percent) = plan.hot.unwrap_or(("EWR", 50));
        let plan = Plan { hot: Some((hot, percent)), ..plan };
        let generator = plan.generator();
        let one_in = plan.late.map_or(u32::MAX, |(one_in, _)| one_in);
        // Of each `one_in` flights one is late: so many are before the first of this hundred.
        let before = hundred as u32 * 100;
        let first = before + before / (one_in - 1);
        let on_time = (first..).filter(|id| plan.late_by_ms(*id).is_none());
        let airports: Vec<String> = on_time.take(100).map(|id| generator.flight(id).origin).collect();
        let share = airports.iter().filter(|airport| *airport == hot).count();
        prop_assert_eq!(share, percent as usize);
    }

    #[test]
    fn a_wrong_clock_changes_delay_and_departure_at_its_airport_and_nothing_else(
        plan in any_plan(),
        first in 0..u32::MAX - 500,
    ) {
        let right = Plan { clock_off: None, ..plan.clone() }.generator();
        let wrong = plan.generator();
        for id in first..first + 500 {
            let mut expected = right.flight(id);
            if let Some((airport, off_min)) = plan.clock_off && expected.origin == airport {
                expected.delay_min += off_min;
            }
            prop_assert_eq!(wrong.flight(id), expected);
        }
    }

    #[test]
    fn no_flight_leaves_before_an_earlier_one(plan in any_plan(), first in 0..u32::MAX - 500) {
        let generator = Plan { clock_off: None, ..plan }.generator();
        let departures_ms = (first..first + 500).map(|id| generator.flight(id).departed_ms());
        prop_assert!(departures_ms.is_sorted());
    }
}

#[test]
fn a_hot_key_leaves_a_share_to_both_other_airports_and_moves_from_hundred_to_hundred() {
    for hot in AIRPORTS {
        let generator = Generator::in_order(7).with_hot_airport(hot, 90).unwrap();
        let mut routes: BTreeMap<String, HashSet<String>> = BTreeMap::new();
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        let mut cold_places = HashSet::new();
        for id in 0..10_000 {
            let flight = generator.flight(id);
            if flight.origin != hot {
                cold_places.insert(id % 100);
            }
            *counts.entry(flight.origin.clone()).or_default() += 1;
            routes.entry(flight.origin).or_default().insert(flight.dest);
        }
        assert_eq!(counts[hot], 9_000);
        for other in AIRPORTS.into_iter().filter(|airport| *airport != hot) {
            assert!((400..600).contains(&counts[other]), "{other}: {counts:?}");
        }
        assert!(routes.values().all(|dests| dests.len() == 3), "{routes:?}");
        assert_eq!(cold_places.len(), 100, "in each hundred the same flights are cold");
    }
}

#[test]
fn with_late_flights_no_two_share_slot_and_number() {
    let generator =
        Generator::out_of_order(7, MAX_BOUND).unwrap().with_late(3, MAX_LATE_BY).unwrap();
    let mut seen = HashSet::new();
    for id in 0..500_000 {
        let flight = generator.flight(id);
        assert!(seen.insert((flight.scheduled_ms, flight.flight)), "id {id}");
    }
}

#[test]
fn between_the_late_flights_the_others_still_use_the_whole_bound() {
    let bound = Duration::from_mins(15);
    let generator =
        Generator::out_of_order(7, bound).unwrap().with_late(10, Duration::from_mins(20)).unwrap();
    let delays: HashSet<i32> = (0..1000).map(|id| generator.flight(id).delay_min).collect();
    assert_eq!(delays, HashSet::from_iter((0..=15).chain([35])));
}

#[test]
fn the_last_flight_of_all_is_possible_with_every_pathology_at_its_limit() {
    for off_min in [MAX_CLOCK_OFF_MIN, -MAX_CLOCK_OFF_MIN] {
        for hot in AIRPORTS {
            let generator = Generator::out_of_order(7, MAX_BOUND).unwrap();
            let generator = generator.with_late(5, MAX_LATE_BY).unwrap();
            let generator = generator.with_hot_airport(hot, 99).unwrap();
            let generator = generator.with_clock_off(hot, off_min).unwrap();
            assert!(generator.is_late(u32::MAX - 1));
            for id in [0, 4, u32::MAX - 1, u32::MAX] {
                assert_eq!(generator.flight(id).check(), Ok(()), "id {id}");
            }
        }
    }
}

#[test]
fn the_stream_of_a_seed_with_pathologies_never_changes() {
    // Tests of later labs count on these very flights.
    let generator = Generator::out_of_order(42, Duration::from_mins(15))
        .unwrap()
        .with_late(4, Duration::from_mins(20))
        .unwrap()
        .with_hot_airport("JFK", 60)
        .unwrap()
        .with_clock_off("LGA", -90)
        .unwrap();
    let shown = |id| {
        let flight: Flight = generator.flight(id);
        format!("{} {:+}", flight.origin, flight.delay_min)
    };
    let stream: Vec<String> = (0..16).map(shown).collect();
    assert_eq!(
        stream.join(", "),
        "JFK +5, JFK +3, EWR +0, EWR +35, JFK +2, LGA -84, EWR +0, EWR +35, JFK +5, EWR +14, \
         JFK +0, JFK +35, JFK +6, EWR +7, JFK +0, JFK +35"
    );
}

#[test]
fn what_cannot_be_placed_is_refused() {
    let flights = Generator::in_order(7);
    let refused = |result: Result<Generator, PathologyError>| result.unwrap_err().to_string();
    assert_eq!(
        refused(flights.with_late(1, Duration::from_mins(1))),
        "expected one late flight in 2 or more, found one in 1"
    );
    for (by, shown) in [
        (Duration::ZERO, "0ns"),
        (Duration::from_millis(60_001), "60.001s"),
        (MAX_LATE_BY + Duration::from_mins(1), "86460s"),
        (Duration::MAX, "18446744073709551615.999999999s"),
    ] {
        assert_eq!(
            refused(flights.with_late(2, by)),
            format!("expected a lateness of whole minutes from 1 min to 24 h, found {shown}")
        );
    }
    for airport in ["", "ewr", "BOS"] {
        let expected = format!("expected an airport of EWR, JFK or LGA, found `{airport}`");
        assert_eq!(refused(flights.with_hot_airport(airport, 50)), expected);
        assert_eq!(refused(flights.with_clock_off(airport, 5)), expected);
    }
    for percent in [0, 100] {
        assert_eq!(
            refused(flights.with_hot_airport("JFK", percent)),
            format!("expected a share from 1 to 99 percent, found {percent}")
        );
    }
    for off_min in [0, 1441, -1441, i32::MIN] {
        assert_eq!(
            refused(flights.with_clock_off("JFK", off_min)),
            format!("expected a clock that is off by 1 to 1440 minutes, found {off_min}")
        );
    }
}
