//! What the labs' pure parts take: no broker, no database.

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use flights::{Flight, Generator};
use lab01_solution::event::{decode, encode};
use lab02_solution::batch::{Batch, BatchLimits};
use lab03_solution::progress::Progress;
use lab05_solution::board::{Arrival, Board, BoardConfig};
use tokio::time::Instant;

const RECORDS: usize = 500;
/// Records of lab 05: 167 minutes of made flights.
const FLIGHTS: u32 = 20_000;
const BOUND: Duration = Duration::from_secs(15 * 60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn decoding(criterion: &mut Criterion) {
    let payload = encode(&Generator::in_order(2013).flight(0)).expect("the flight is in order");
    criterion.bench_function("lab01-decode", |bencher| {
        bencher.iter(|| decode(black_box(&payload)));
    });
}

fn batching(criterion: &mut Criterion) {
    let items = NonZeroUsize::new(RECORDS).expect("it is not 0");
    let limits = BatchLimits { items, age: Duration::from_secs(1) };
    let now = Instant::now();
    criterion.bench_function("lab02-batch-of-500", |bencher| {
        bencher.iter(|| {
            let mut batch = Batch::new(limits);
            (0..RECORDS).find_map(|item| batch.push(black_box(item), now))
        });
    });
}

fn progressing(criterion: &mut Criterion) {
    let polled = || {
        let mut progress = Progress::default();
        (0..RECORDS as i64).for_each(|offset| progress.polled(0, offset));
        progress
    };
    let processed = |mut progress: Progress, offsets: &[i64]| {
        offsets.iter().for_each(|offset| progress.processed(0, *offset));
        progress.to_commit()
    };
    let in_order: Vec<i64> = (0..RECORDS as i64).collect();
    let reversed: Vec<i64> = in_order.iter().rev().copied().collect();
    for (name, offsets) in
        [("lab03-progress-of-500-in-order", in_order), ("lab03-progress-of-500-reversed", reversed)]
    {
        criterion.bench_function(name, |bencher| {
            let run = |progress| processed(progress, black_box(&offsets));
            bencher.iter_batched(polled, run, BatchSize::SmallInput);
        });
    }
}

/// Made flights in the order in which they left, out of order by at most the bound.
fn flights() -> Vec<Flight> {
    let generator = Generator::out_of_order(2013, BOUND).expect("it is a bound");
    (0..FLIGHTS).map(|id| generator.flight(id)).collect()
}

fn board(window: Duration) -> Board {
    let config = BoardConfig {
        window,
        bound: BOUND,
        allowed_lateness: Duration::ZERO,
        idle_after: None,
        allowed_ahead: HOUR,
    };
    Board::new(&[0], &config).expect("it is a size")
}

/// Gives a flight to the board; what is due by that is looked at by nobody.
fn take(board: &mut Board, offset: i64, flight: &Flight) {
    let arrival = Arrival { partition: 0, offset, arrived_ms: flight.departed_ms(), flight };
    black_box(board.on_flight(arrival, Duration::ZERO));
}

/// From the bytes of a record to the windows of three airports, an hour each: two of them fire.
fn aggregating(criterion: &mut Criterion) {
    let payload = |flight: &Flight| encode(flight).expect("a made flight is in order");
    let payloads: Vec<Vec<u8>> = flights().iter().map(payload).collect();
    criterion.bench_function("lab05-decode-alone", |bencher| {
        bencher.iter(|| {
            for payload in &payloads {
                black_box(decode(black_box(payload)).expect("it is a flight"));
            }
        });
    });
    criterion.bench_function("lab05-decode-and-board", |bencher| {
        let run = |board: &mut Board| {
            for (offset, payload) in (0..).zip(&payloads) {
                take(board, offset, &decode(black_box(payload)).expect("it is a flight"));
            }
        };
        bencher.iter_batched_ref(|| board(HOUR), run, BatchSize::PerIteration);
    });
}

/// A day's window that holds so many keys already, and flights that go to these keys. Their slots are
/// moved by the bound, or some would be of the day before.
fn full_window(keys: usize) -> (Board, Vec<Flight>) {
    let mut flights = flights();
    for flight in &mut flights {
        flight.scheduled_ms += BOUND.as_millis() as i64;
    }
    let mut board = board(DAY);
    for key in 0..keys {
        let origin = format!("{key:06}");
        take(&mut board, 0, &Flight { origin, ..flights[0].clone() });
    }
    // In large steps: neighbours on the log are no neighbours in a map.
    for (index, flight) in flights.iter_mut().enumerate() {
        flight.origin = format!("{:06}", index * 61_803 % keys);
    }
    (board, flights)
}

/// Guard, watermark and windows by the number of keys, and the end of a window of many keys.
fn holding_keys(criterion: &mut Criterion) {
    for keys in [3, 1_000, 100_000] {
        let (full, flights) = full_window(keys);
        criterion.bench_function(&format!("lab05-board-of-{keys}-keys"), |bencher| {
            let run = |board: &mut Board| {
                for (offset, flight) in (0..).zip(&flights) {
                    take(board, offset, black_box(flight));
                }
            };
            bencher.iter_batched_ref(|| full.clone(), run, BatchSize::PerIteration);
        });
    }
    let (full, _) = full_window(100_000);
    criterion.bench_function("lab05-end-of-100000-keys", |bencher| {
        bencher.iter_batched_ref(|| full.clone(), Board::on_end, BatchSize::PerIteration);
    });
}

fn measured_for(seconds: u64) -> Criterion {
    let warm_up = Duration::from_millis(500);
    Criterion::default().warm_up_time(warm_up).measurement_time(Duration::from_secs(seconds))
}

criterion_group! {
    name = pure;
    config = measured_for(2);
    targets = decoding, batching, progressing
}
// Thousands of records each time, so that few samples are enough.
criterion_group! {
    name = windows;
    config = measured_for(4).sample_size(20);
    targets = aggregating, holding_keys
}
criterion_main!(pure, windows);
