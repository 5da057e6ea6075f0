//! Step 1: a batch that is full, or due, or the last.
//!
//! - Every item that goes in comes out once, in order; the last partial batch too.
//! - A batch is complete when it is full, or so long after its *first* item.
//! - It never holds as many items as its limit.

use std::num::NonZeroUsize;
use std::time::Duration;

use lab02::batch::{Batch, BatchLimits};
use proptest::collection::vec;
use proptest::prelude::any;
use testkit::{for_all, rule};
use tokio::time::Instant;

const AGE: Duration = Duration::from_millis(500);

fn batch(items: usize) -> Batch<u32> {
    let items = NonZeroUsize::new(items).expect("a limit is not 0");
    Batch::new(BatchLimits { items, age: AGE })
}

/// So many milliseconds after the start of the test's own clock.
fn at(start: Instant, ms: u64) -> Instant {
    start + Duration::from_millis(ms)
}

/// The moment on the test's clock, for a message.
fn shown(start: Instant, instant: Option<Instant>) -> String {
    instant.map_or("never".to_owned(), |instant| format!("{} ms", (instant - start).as_millis()))
}

#[test]
fn a_full_batch_comes_out_with_its_last_item() {
    let start = Instant::now();
    let mut batch = batch(3);
    for (item, expected) in [(1, None), (2, None), (3, Some(vec![1, 2, 3]))] {
        rule("A batch comes out with the item that fills it, and not before.")
            .picture(format!("limit 3, this is item {item}"))
            .ask("Which comes first: the item goes in, or the batch is looked at?")
            .same(batch.push(item, start), expected);
    }
    rule("A batch that came out is empty.").same(batch.len(), 0);
}

#[test]
fn a_limit_of_one_gives_each_item_at_once() {
    let mut batch = batch(1);
    for item in [7, 8] {
        rule("With a limit of one, each item is a batch of its own.")
            .same(batch.push(item, Instant::now()), Some(vec![item]));
    }
}

#[test]
fn every_item_comes_out_once_and_in_order() {
    for limit in 1..=7 {
        let start = Instant::now();
        let mut batch = batch(limit);
        let mut out = Vec::new();
        for item in 0..100 {
            let now = at(start, u64::from(item) * 90);
            out.extend(batch.take_due(now).unwrap_or_default());
            out.extend(batch.push(item, now).unwrap_or_default());
            rule("A batch never holds as many items as its limit.")
                .holds(batch.len() < limit, format!("{} items, limit {limit}", batch.len()));
        }
        out.extend(batch.take());
        rule("Every item that went in comes out once, in the order of the pushes.")
            .picture(format!("100 items, one every 90 ms; limit {limit} items or 500 ms"))
            .ask("Where is an item between the call that takes it and the batch it comes out with?")
            .same(out, (0..100).collect());
    }
}

#[test]
fn a_batch_is_due_so_long_after_its_first_item() {
    let start = Instant::now();
    let mut batch = batch(10);
    rule("An empty batch is never due.").same_bytes(shown(start, batch.due()), "never");
    for (item, ms) in [(1, 0), (2, 200), (3, 400)] {
        rule("A batch that is neither full nor due stays.")
            .same(batch.push(item, at(start, ms)), None);
        rule("A batch is due so long after its first item, whatever comes behind it.")
            .picture(format!(
                "0 ms      200 ms    400 ms    500 ms\n\
                 ●         ●         ●         due\n\
                 asked after the item at {ms} ms; the limit is 500 ms"
            ))
            .ask("A record comes every 400 ms, for ever. When is the first one written?")
            .same_bytes(shown(start, batch.due()), "500 ms");
    }
}

#[test]
fn a_batch_that_is_due_is_taken_and_none_before() {
    let start = Instant::now();
    let mut batch = batch(10);
    let _ = batch.push(1, start);
    rule("A batch is not taken before it is due.")
        .picture("first item at 0 ms, limit 500 ms, asked at 499 ms")
        .same(batch.take_due(at(start, 499)), None);
    rule("A batch is taken when it is due, that very moment included.")
        .picture("first item at 0 ms, limit 500 ms, asked at 500 ms")
        .ask("The timer rings at the moment itself. Does your comparison hold then?")
        .same(batch.take_due(at(start, 500)), Some(vec![1]));
    rule("An empty batch gives nothing, however late it is.")
        .same(batch.take_due(at(start, 9_000)), None);
}

#[test]
fn an_item_behind_the_due_moment_takes_the_batch_along() {
    let start = Instant::now();
    let mut batch = batch(10);
    let _ = batch.push(1, start);
    rule("A batch that is due comes out with the next item, also where no timer has rung.")
        .picture("first item at 0 ms, limit 500 ms, second item at 800 ms")
        .ask("Records come so fast that nobody gets to look at the timer. Who notices?")
        .same(batch.push(2, at(start, 800)), Some(vec![1, 2]));
}

#[test]
fn the_last_partial_batch_is_not_lost() {
    let mut batch = batch(10);
    let _ = batch.push(1, Instant::now());
    let _ = batch.push(2, Instant::now());
    rule("What is left comes out in the end, complete or not.")
        .picture("10 items fill a batch; 2 came, then the program ends")
        .same(batch.take(), vec![1, 2]);
    rule("It comes out once.").same(batch.take(), vec![]);
}

#[test]
fn the_next_batch_has_a_clock_of_its_own() {
    let start = Instant::now();
    let mut batch = batch(2);
    let _ = batch.push(1, start);
    let _ = batch.push(2, at(start, 100));
    rule("A batch that came out has no due moment any more.")
        .picture("limit 2: items at 0 and 100 ms, so it is full")
        .ask("The timer rings at 500 ms. For which batch?")
        .same_bytes(shown(start, batch.due()), "never");
    let _ = batch.push(3, at(start, 400));
    rule("The next batch is due so long after its own first item.")
        .picture("limit 2: items at 0, 100 and 400 ms")
        .same_bytes(shown(start, batch.due()), "900 ms");
    let _ = batch.take();
    let _ = batch.push(4, at(start, 1_000));
    rule("The same holds after the batch was taken.")
        .picture("a batch was taken, then an item came at 1,000 ms")
        .same_bytes(shown(start, batch.due()), "1500 ms");
}

#[test]
fn whatever_comes_each_item_comes_out_once_and_not_before_its_time() {
    // A limit; then so many milliseconds pass each time, and an item comes or somebody looks.
    let steps = vec((0..400_u64, any::<bool>()), 1..30);
    for_all((1..5_usize, steps), |(limit, steps)| {
        let start = Instant::now();
        let mut batch = batch(limit);
        let limits =
            format!("at most {limit} {}, or 500 ms", if limit == 1 { "item" } else { "items" });
        let (mut now_ms, mut pushed, mut out) = (0, 0, Vec::new());
        let (mut inside, mut first_ms, mut story) = (Vec::new(), 0, Vec::new());
        for (pause_ms, is_item) in steps {
            now_ms += pause_ms;
            let now = at(start, now_ms);
            let came = if is_item {
                if inside.is_empty() {
                    first_ms = now_ms;
                }
                inside.push(pushed);
                pushed += 1;
                batch.push(pushed - 1, now)
            } else {
                batch.take_due(now)
            };
            story.push(format!("{now_ms} ms {}", if is_item { "item" } else { "look" }));
            let is_due = !inside.is_empty() && now_ms >= first_ms + AGE.as_millis() as u64;
            let complete = is_due || inside.len() >= limit;
            rule("All items come out when the batch is full or its first item is old enough, else none.")
                .picture(format!("{limits}: {}", story.join(" · ")))
                .same(came.clone(), complete.then(|| std::mem::take(&mut inside)));
            out.extend(came.unwrap_or_default());
        }
        out.extend(batch.take());
        rule("Every item that went in comes out once, in the order of the pushes.")
            .picture(format!("{limits}: {} · then all is taken", story.join(" · ")))
            .same(out, (0..pushed).collect());
    });
}

#[test]
fn a_batch_holds_what_was_pushed_and_forgets_what_is_not_kept() {
    let start = Instant::now();
    let mut batch = batch(10);
    for item in 1..=5 {
        rule("A batch that is neither full nor due keeps its items.")
            .same(batch.push(item, start), None);
    }
    rule("It says how many it holds.").same((batch.len(), batch.is_empty()), (5, false));
    rule("What is not kept goes, and is counted.").same(batch.retain(|item| item % 2 == 1), 2);
    rule("The rest stays, and is due as before.")
        .same((batch.len(), shown(start, batch.due())), (3, shown(start, Some(start + AGE))));
    rule("Where nothing is kept, the batch is empty.").same(batch.retain(|_| false), 3);
    rule("An empty batch is never due.").same((batch.is_empty(), batch.due()), (true, None));
}
