//! What the labs' pure parts take: no broker, no database.

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use flights::Generator;
use lab01_solution::event::{decode, encode};
use lab02_solution::batch::{Batch, BatchLimits};
use lab03_solution::progress::Progress;
use tokio::time::Instant;

const RECORDS: usize = 500;

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

criterion_group! {
    name = pure;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = decoding, batching, progressing
}
criterion_main!(pure);
