//! Step 1: what may be committed.
//!
//! Invariants:
//! 1. The offset to commit is that of the next record to read: last processed + 1.
//! 2. It never passes a record that is in hand, in whatever order records are processed.
//! 3. Partitions know nothing of each other.
//! 4. What belongs to another member is not committed.

use std::collections::BTreeMap;

use lab03::progress::{Offsets, Progress};
use proptest::collection::vec;
use proptest::prelude::any;
use testkit::{for_all, rule};

/// Progress with these records polled from partition 0.
fn polled(offsets: &[i64]) -> Progress {
    let mut progress = Progress::default();
    for offset in offsets {
        progress.polled(0, *offset);
    }
    progress
}

fn offsets(offsets: &[(i32, i64)]) -> Offsets {
    offsets.iter().copied().collect()
}

#[test]
fn the_offset_to_commit_is_one_behind_the_last_processed() {
    let mut progress = polled(&[41, 42]);
    progress.processed(0, 41);
    progress.processed(0, 42);
    rule("A committed offset is that of the next record to read.")
        .picture("polled     41 42\nprocessed  41 42\nrestart          ● reads on here")
        .ask("A restart reads the record at the committed offset. Has that one been processed?")
        .same(progress.to_commit(), offsets(&[(0, 43)]));
}

#[test]
fn what_is_polled_and_not_processed_is_not_committed() {
    let mut progress = polled(&[41, 42, 43, 44]);
    progress.processed(0, 41);
    rule("What is in hand and not processed is not committed.")
        .picture("polled     41 42 43 44\nprocessed  41")
        .ask("A poll moves the position. What moves the committed offset?")
        .same(progress.to_commit(), offsets(&[(0, 42)]));
}

#[test]
fn nothing_processed_is_nothing_to_commit() {
    rule("Where nothing was polled there is nothing to commit.")
        .same(polled(&[]).to_commit(), Offsets::new());
    rule("Where nothing is processed there is nothing to commit.")
        .picture("polled     41 42\nprocessed  none")
        .ask("To commit an offset is a promise about all records before it. Who has kept it here?")
        .same(polled(&[41, 42]).to_commit(), Offsets::new());
}

#[test]
fn a_record_in_hand_holds_back_those_behind_it() {
    let mut progress = polled(&[41, 42, 43, 44]);
    for (offset, expected) in [(41, 42), (44, 42), (43, 42), (42, 45)] {
        progress.processed(0, offset);
        rule("The offset to commit never passes a record that is not processed.")
            .picture("polled     41 42 43 44\nprocessed  41, then 44, then 43, then 42")
            .ask("44 is done and 42 is not. Where must a restart read on, so that 42 is not lost?")
            .same((offset, progress.to_commit()), (offset, offsets(&[(0, expected)])));
    }
}

#[test]
fn in_every_order_a_restart_meets_all_that_is_not_processed() {
    const POLLED: [i64; 5] = [7, 8, 10, 13, 14];
    for order in orders(&POLLED) {
        let mut progress = polled(&POLLED);
        for done in 0..=order.len() {
            let restart = progress.to_commit().get(&0).copied().unwrap_or(POLLED[0]);
            let passed = order[done..].iter().min().is_some_and(|first| *first < restart);
            rule("Whatever the order: a restart meets every record that is not processed.")
                .picture(format!("polled     {POLLED:?}\nprocessed  {:?}", &order[..done]))
                .ask("Which is the first record that is still in hand?")
                .holds(!passed, format!("a restart at {restart}"));
            if let Some(offset) = order.get(done) {
                progress.processed(0, *offset);
            }
        }
        rule("When all is processed, the offset is one behind the last record.")
            .picture(format!("processed  {order:?}"))
            .same(progress.to_commit(), offsets(&[(0, 15)]));
    }
}

/// All orders of these offsets.
fn orders(offsets: &[i64]) -> Vec<Vec<i64>> {
    if offsets.is_empty() {
        return vec![Vec::new()];
    }
    let with_first = |index: usize| {
        let mut others = offsets.to_vec();
        let first = others.remove(index);
        orders(&others).into_iter().map(move |order| [vec![first], order].concat())
    };
    (0..offsets.len()).flat_map(with_first).collect()
}

#[test]
fn offsets_are_not_a_count() {
    let mut progress = polled(&[41, 42, 47]);
    for (offset, expected) in [(41, 42), (42, 43), (47, 48)] {
        progress.processed(0, offset);
        rule("Offsets may leave gaps: 43 to 46 were never given out, so nobody waits for them.")
            .picture("polled     41 42 47\nprocessed  41, then 42, then 47")
            .ask("Which record is in hand: that of the next number, or the next that was polled?")
            .same((offset, progress.to_commit()), (offset, offsets(&[(0, expected)])));
    }
}

#[test]
fn each_partition_has_an_offset_of_its_own() {
    let mut progress = Progress::default();
    for (partition, offset) in [(0, 7), (1, 900), (1, 901), (2, 3)] {
        progress.polled(partition, offset);
    }
    for (partition, offset) in [(1, 900), (0, 7), (1, 901)] {
        progress.processed(partition, offset);
    }
    rule("Each partition has an offset of its own; where nothing is processed it has none.")
        .picture("partition  polled    processed\n0          7         7\n1          900 901   900 901\n2          3         none")
        .ask("Partitions are logs of their own. What does offset 901 of one say about another?")
        .same(progress.to_commit(), offsets(&[(0, 8), (1, 902)]));
}

#[test]
fn a_revoked_partition_is_not_committed() {
    let mut progress = Progress::default();
    for (partition, offset) in [(0, 7), (1, 900), (1, 901)] {
        progress.polled(partition, offset);
    }
    progress.processed(0, 7);
    progress.processed(1, 900);
    progress.revoked(1);
    let picture = "partition 0: 7 processed\npartition 1: 900 processed, then revoked";
    rule("A revoked partition belongs to another member, and its offset is not ours to commit.")
        .picture(picture)
        .ask("The new owner has read on from the last commit. What would ours do to its offset?")
        .same(progress.to_commit(), offsets(&[(0, 8)]));
    // The record was in hand when the partition went.
    progress.processed(1, 901);
    rule("A record that is processed after its partition was revoked changes nothing.")
        .picture(format!("{picture}, then 901 processed"))
        .ask("Who works on a record when its partition is revoked, and what may they still say?")
        .same(progress.to_commit(), offsets(&[(0, 8)]));
}

#[test]
fn a_partition_that_comes_back_begins_anew() {
    let mut progress = polled(&[41, 42, 43]);
    progress.processed(0, 41);
    progress.processed(0, 42);
    progress.revoked(0);
    progress.polled(0, 41);
    rule("A partition that comes back is read from its last commit; what was done before is forgotten.")
        .picture("polled 41 42 43, processed 41 42, revoked, then assigned again: polled 41")
        .same(progress.to_commit(), Offsets::new());
    progress.processed(0, 41);
    rule("It goes on from the records that were polled since.")
        .picture("… then processed 41")
        .ask("43 was in hand before the partition was revoked. Is it still?")
        .same(progress.to_commit(), offsets(&[(0, 42)]));
}

#[test]
fn what_is_processed_twice_is_processed_once() {
    let mut progress = polled(&[41, 42]);
    for _ in 0..3 {
        progress.processed(0, 41);
        rule("To say again that a record is processed changes nothing.")
            .picture("polled     41 42\nprocessed  41, and again 41")
            .same(progress.to_commit(), offsets(&[(0, 42)]));
    }
}

#[test]
fn whatever_happens_the_commit_is_one_behind_the_last_before_the_first_in_hand() {
    // A partition, and what happens to it: a record is polled whose offset is so much larger than
    // the last one, or one of those that were polled is processed, or the partition is revoked.
    let step = (0..2_i32, 0..9_u8, 1..4_i64, any::<proptest::sample::Index>());
    for_all(vec(step, 1..40), |steps| {
        let mut progress = Progress::default();
        // By partition, the records that were polled and whether each is processed.
        let mut polled: BTreeMap<i32, Vec<(i64, bool)>> = BTreeMap::new();
        let mut story = String::new();
        for (partition, kind, gap, which) in steps {
            let records = polled.entry(partition).or_default();
            match kind {
                0..4 => {
                    let offset = records.last().map_or(40, |(offset, _)| *offset) + gap;
                    records.push((offset, false));
                    progress.polled(partition, offset);
                    story += &format!("polled {partition}@{offset} · ");
                }
                4..8 if !records.is_empty() => {
                    let (offset, is_processed) = which.get_mut(records);
                    *is_processed = true;
                    progress.processed(partition, *offset);
                    story += &format!("processed {partition}@{offset} · ");
                }
                _ => {
                    records.clear();
                    progress.revoked(partition);
                    story += &format!("revoked {partition} · ");
                }
            }
            let expected = polled.iter().filter_map(|(partition, records)| {
                let done = records.iter().take_while(|(_, is_processed)| *is_processed);
                Some((*partition, done.last()?.0 + 1))
            });
            rule("What may be committed is one behind the last record before the first that is in hand.")
                .picture(&*story)
                .ask("Which is the first record that is polled and not processed, in each partition?")
                .same(progress.to_commit(), expected.collect());
        }
    });
}
