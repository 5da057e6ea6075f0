//! Step 6: stream = batch. The board's results are those of a batch over the records that were not
//! dropped, and the dropped are exactly those that the rule names.

use std::collections::BTreeMap;
use std::time::Duration;

use flights::Flight;
use flights::weeks::Week;
use lab04::span::millis;
use lab05::board::{Arrival, Board, BoardConfig, Outcome};
use lab05::firing::WindowResult;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use testkit::{for_all, rule};

use super::at_hand::{HOUR, at, flight, minutes, seconds, told, told_all};
use super::log::{
    Made, Read, batch, clock_at, dropped_by_rule, interleave, picture, read_all, same,
};

const KEYS: [&str; 3] = ["EWR", "JFK", "LGA"];

/// A bound, an allowed lateness and a window length, each of whole minutes.
fn configs() -> impl Strategy<Value = BoardConfig> {
    (0..90_u64, 0..120_u64, 1..90_u64).prop_map(|(bound_min, lateness_min, window_min)| {
        BoardConfig {
            window: minutes(window_min),
            bound: minutes(bound_min),
            allowed_lateness: minutes(lateness_min),
            idle_after: None,
            allowed_ahead: HOUR,
        }
    })
}

/// A delay in minutes. One in ten has a slot further ahead of its arrival than a guard of an hour lets
/// pass.
fn any_delay() -> impl Strategy<Value = i32> {
    prop_oneof![9 => -60..200_i32, 1 => -600..-60_i32]
}

/// Flights round the turn of the year 1970: on a whole minute, or a millisecond before or after it.
fn any_flights(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Flight>> {
    let one = (-240..240_i64, -1..=1_i64, 0..KEYS.len(), any_delay());
    let one = one.prop_map(|(minute, beside_ms, key, delay_min)| {
        flight(KEYS[key], minute * 60_000 + beside_ms, delay_min)
    });
    vec(one, count)
}

fn board(partitions: usize, config: &BoardConfig) -> Board {
    let partitions: Vec<i32> = (0..partitions as i32).collect();
    Board::new(&partitions, config).expect("whole minutes are a size")
}

/// Holds what a board made of a log against the rule and against a batch.
#[track_caller]
fn is_a_batch(made: &Made, reads: &[Read], partitions: usize, config: &BoardConfig) {
    same(
        "Dropped is exactly what is too far ahead, and where end of window + lateness <= watermark.",
        "Each pair is a partition and an offset. Which record is judged otherwise here, and by which watermark?",
        || picture(reads, partitions, config),
        made.dropped.clone(),
        dropped_by_rule(reads, partitions, config),
    );
    same(
        "The latest results are those of a batch over the records that were not dropped.",
        "Is a record counted twice, or not at all, or in a window that is not its own?",
        || picture(reads, partitions, config),
        made.figures(),
        batch(reads, &made.dropped, millis(config.window)),
    );
    let mut revisions = BTreeMap::new();
    for result in &made.results {
        let revision = revisions.entry((result.window, &result.key)).or_insert(0);
        *revision += 1;
        same(
            "The results of a key of a window are revision 1, 2, 3 and so on.",
            "Which result of this key and window came before this one?",
            || picture(reads, partitions, config),
            told(result),
            told(&WindowResult { revision: *revision, ..result.clone() }),
        );
    }
}

#[test]
fn one_partition_in_any_order_is_a_batch_over_what_was_not_dropped() {
    for_all((configs(), any_flights(1..40)), |(config, flights)| {
        let reads = interleave(&[flights], &[]);
        is_a_batch(&read_all(board(1, &config), &reads), &reads, 1, &config);
    });
}

#[test]
fn several_partitions_in_any_interleaving_are_a_batch_over_what_was_not_dropped() {
    let partitions = vec(any_flights(0..16), 1..5);
    let turns = vec(0..4_usize, 0..64);
    for_all((configs(), partitions, turns), |(config, partitions, turns)| {
        let reads = interleave(&partitions, &turns);
        let made = read_all(board(partitions.len(), &config), &reads);
        is_a_batch(&made, &reads, partitions.len(), &config);
    });
}

#[test]
fn how_the_records_are_fetched_and_how_often_one_looks_at_the_clock_does_not_matter() {
    let sizes = vec(1..6_usize, 1..40);
    let input = (configs(), any_flights(1..40), sizes, 0..4_u64);
    for_all(input, |(config, flights, sizes, idle_after_s)| {
        let config = BoardConfig { idle_after: Some(seconds(idle_after_s)), ..config };
        let reads = interleave(&[flights], &[]);
        let at_once = read_all(board(1, &config), &reads);
        let mut in_batches = Made::default();
        let mut of_batches = board(1, &config);
        let mut from = 0;
        for size in sizes.iter().cycle() {
            if from == reads.len() {
                break;
            }
            let to = reads.len().min(from + size);
            in_batches.read(&mut of_batches, &reads[from..to], from);
            in_batches.results.extend(of_batches.on_time(clock_at(to)));
            from = to;
        }
        in_batches.results.extend(of_batches.on_end());
        same(
            "One partition: however many records come at once, the results are the same, byte for byte.",
            "What changes in this code when somebody looks at the clock and no record has come?",
            || picture(&reads, 1, &config),
            format!("{in_batches:?}"),
            format!("{at_once:?}"),
        );
    });
}

#[test]
fn a_board_that_goes_on_from_any_point_gives_the_same() {
    let partitions = vec(any_flights(1..16), 1..4);
    let input = (configs(), partitions, vec(0..4_usize, 0..48), any::<proptest::sample::Index>());
    for_all(input, |(config, partitions, turns, point)| {
        let reads = interleave(&partitions, &turns);
        let at_once = read_all(board(partitions.len(), &config), &reads);
        let point = point.index(reads.len());
        let mut made = Made::default();
        let mut stopped = board(partitions.len(), &config);
        made.read(&mut stopped, &reads[..point], 0);
        let mut again = stopped.clone();
        drop(stopped);
        made.read(&mut again, &reads[point..], point);
        made.results.extend(again.on_end());
        same(
            "All that decides is in the board: a copy of it goes on as the board itself would.",
            "Which clock, and which memory outside of the board, does this code ask?",
            || picture(&reads, partitions.len(), &config),
            format!("{made:?}"),
            format!("{at_once:?}"),
        );
    });
}

#[test]
fn where_every_partition_keeps_the_bound_every_interleaving_gives_the_same_table() {
    let flight_after = (0..40_i64, 0..=1_000_u32, 0..KEYS.len(), -60..200_i32);
    let partitions = vec(vec(flight_after, 1..12), 1..5);
    let input = (configs(), partitions, vec(0..4_usize, 0..48));
    for_all(input, |(config, partitions, turns)| {
        let partitions: Vec<Vec<Flight>> = partitions
            .into_iter()
            .map(|flights| within_bound(&flights, millis(config.bound)))
            .collect();
        let orders = [turns.as_slice(), &[], &(0..48).collect::<Vec<usize>>()].map(|turns| {
            let reads = interleave(&partitions, turns);
            let made = read_all(board(partitions.len(), &config), &reads);
            (reads, made)
        });
        let (first_reads, first) = &orders[0];
        for (reads, made) in &orders {
            same(
                "Where no record is behind its own partition by more than the bound, nothing is dropped.",
                "The combined watermark is that of the slowest partition. Whose record can be behind it?",
                || picture(reads, partitions.len(), &config),
                made.dropped.clone(),
                vec![],
            );
            same(
                "Where nothing is dropped, every order of reading gives the same table.",
                "What of the order of reading is left in the figures?",
                || picture(reads, partitions.len(), &config),
                made.figures(),
                first.figures(),
            );
        }
        is_a_batch(first, first_reads, partitions.len(), &config);
    });
}

/// Flights whose slots are behind an instant that only moves on, by at most the bound. Each has the
/// minutes by which the instant moves, and how much of the bound it is behind, in thousandths.
fn within_bound(flights: &[(i64, u32, usize, i32)], bound_ms: i64) -> Vec<Flight> {
    let mut now_ms = -7_200_000;
    let place = |(minutes, behind, key, delay_min): &(i64, u32, usize, i32)| {
        now_ms += minutes * 60_000;
        flight(KEYS[*key], now_ms - bound_ms * i64::from(*behind) / 1_000, *delay_min)
    };
    flights.iter().map(place).collect()
}

/// Something that a board may meet.
#[derive(Debug, Clone)]
enum Event {
    Record { partition: i32, timestamp_ms: i64 },
    Silence,
    EndOf(i32),
}

#[test]
fn whatever_comes_every_record_is_accounted_for_at_every_moment() {
    let timestamp = prop_oneof![
        8 => (0..480_i64).prop_map(|minute| at("00:00") + minute * 60_000),
        1 => any::<i64>(),
        1 => prop_oneof![Just(i64::MIN), Just(i64::MAX)],
    ];
    let record = (0..4_i32, timestamp)
        .prop_map(|(partition, timestamp_ms)| Event::Record { partition, timestamp_ms });
    let event = prop_oneof![
        8 => record,
        1 => Just(Event::Silence),
        1 => (0..4_i32).prop_map(Event::EndOf),
    ];
    let idle_after = proptest::option::of(0..4_u64);
    let ahead = prop_oneof![Just(HOUR), Just(Duration::MAX)];
    for_all(
        (configs(), idle_after, ahead, vec(event, 1..40)),
        |(config, idle_s, ahead, events)| {
            let idle_after = idle_s.map(seconds);
            let config = BoardConfig { idle_after, allowed_ahead: ahead, ..config };
            let mut board = board(3, &config);
            let mut made = Made::default();
            let mut reads = Vec::new();
            for (index, event) in events.iter().enumerate() {
                match event {
                    Event::Record { partition, timestamp_ms } => {
                        let flight = flight("EWR", *timestamp_ms, 0);
                        let (offset, arrived_ms) = (index as i64, at("04:00"));
                        let arrival =
                            Arrival { partition: *partition, offset, arrived_ms, flight: &flight };
                        let Outcome { results, dropped } =
                            board.on_flight(arrival, clock_at(index));
                        made.results.extend(results);
                        made.dropped
                            .extend(dropped.map(|record| (record.partition, record.offset)));
                        reads.push(Read { partition: *partition, offset, flight });
                    }
                    Event::Silence => made.results.extend(board.on_time(clock_at(index))),
                    Event::EndOf(partition) => made.results.extend(board.on_end_of(*partition)),
                }
                is_accounted_for(&board, &made, &events[..=index]);
            }
            made.results.extend(board.on_end());
            is_accounted_for(&board, &made, &events);
            same(
                "Idle partitions or not: the latest results are a batch over what was not dropped.",
                "Is a record counted twice, or not at all, or in a window that is not its own?",
                || format!("{events:?}\ndropped: {:?}", made.dropped),
                made.figures(),
                batch(&reads, &made.dropped, millis(config.window)),
            );
        },
    );
}

#[track_caller]
fn is_accounted_for(board: &Board, made: &Made, events: &[Event]) {
    let counts = board.counts();
    let dropped = counts.dropped.total();
    let said: u64 = made.figures().values().map(|delays| delays.count).sum();
    let open = board.aggregation().state().records_in_open();
    let draw = || {
        format!(
            "{events:?}\nresults so far: {}\nread {}, dropped {dropped}, in the latest results {said}, \
             in open windows {open}",
            told_all(&made.results),
            counts.read
        )
    };
    same(
        "Records read = dropped + in the latest results + in open windows, at every moment.",
        "Which record is counted twice here, or not at all?",
        draw,
        dropped + said + open,
        counts.read,
    );
    same(
        "Every result that is given out is counted, and so is each correction.",
        "Which calls give out results, and which of them count?",
        draw,
        counts.results,
        made.results.len() as u64,
    );
}

/// The calm week on four partitions, filled in turn, and read in three orders. In one partition 695
/// records are dropped.
#[test]
fn three_orders_of_reading_drop_three_different_numbers() {
    let config = BoardConfig {
        window: HOUR,
        bound: minutes(15),
        allowed_lateness: Duration::ZERO,
        idle_after: None,
        allowed_ahead: HOUR,
    };
    let mut partitions = vec![Vec::new(); 4];
    for (index, flight) in Week::Calm.load().departed.into_iter().enumerate() {
        partitions[index % 4].push(flight);
    }
    let records: usize = partitions.iter().map(Vec::len).sum();
    let a_hundred_of_each: Vec<usize> = (0..records).map(|index| index / 100).collect();
    let one_after_the_other = interleave(&partitions, &[]);
    let mut by_arrival = one_after_the_other.clone();
    by_arrival.sort_by_key(|read| read.flight.departed_ms());
    for (order, reads, expected) in [
        ("by arrival", by_arrival, 509),
        ("in turn, a hundred records of each", interleave(&partitions, &a_hundred_of_each), 186),
        ("one partition after the other", one_after_the_other, 142),
    ] {
        let made = read_all(board(4, &config), &reads);
        let dropped = made.dropped.len();
        println!("the calm week on 4 partitions, bound 15 min, read {order}: {dropped} dropped");
        is_a_batch(&made, &reads, 4, &config);
        rule("Which records are dropped depends on the order in which partitions are read.")
            .picture(format!("the calm week on 4 partitions, bound 15 min, read {order}"))
            .ask("The same log, and the same code. What does the order of reading decide?")
            .same(dropped, expected);
    }
}

#[test]
fn a_board_made_again_from_its_parts_goes_on_as_if_it_had_not_stopped() {
    let partitions = vec(any_flights(1..16), 1..4);
    let input = (configs(), partitions, vec(0..4_usize, 0..48), any::<proptest::sample::Index>());
    for_all(input, |(config, partitions, turns, point)| {
        let reads = interleave(&partitions, &turns);
        let mut uncut = board(partitions.len(), &config);
        let mut at_once = Made::default();
        at_once.read(&mut uncut, &reads, 0);
        let point = point.index(reads.len());
        let mut made = Made::default();
        let mut stopped = board(partitions.len(), &config);
        made.read(&mut stopped, &reads[..point], 0);
        let again = Board::from_parts(stopped.parts(), &config);
        let mut again = rule("A board can be made again from its parts.").succeeds(again);
        made.read(&mut again, &reads[point..], point);
        same(
            "All that a board must remember is in its parts: made again from them, it goes on as before.",
            "Windows, watermarks, counters: which of them would a new process not know?",
            || picture(&reads, partitions.len(), &config),
            format!("{made:?} {:?} {:?}", again.parts(), again.on_end()),
            format!("{at_once:?} {:?} {:?}", uncut.parts(), uncut.on_end()),
        );
    });
}
