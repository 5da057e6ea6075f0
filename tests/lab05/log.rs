//! Logs of several partitions, read in some order: what a board makes of them, and what a batch
//! does, written without the learner's own code.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::time::Duration;

use flights::Flight;
use lab05::board::{Arrival, Board};
use lab05::delays::Delays;
use lab05::firing::WindowResult;
use lab05::window::Window;
use testkit::rule;
use timeline::{Timeline, span};

use super::at_hand::counted;

/// A record of a log, as it is read.
#[derive(Debug, Clone)]
pub struct Read {
    pub partition: i32,
    pub offset: i64,
    pub flight: Flight,
}

/// The figures of each key in each window.
pub type Figures = BTreeMap<(Window, String), Delays>;

/// What a board made of a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Made {
    /// All results, in order.
    pub results: Vec<WindowResult>,
    /// Partition and offset of the dropped records, in the order of reading.
    pub dropped: Vec<(i32, i64)>,
    /// The place in the log of each late record, from 0.
    pub late: Vec<usize>,
}

impl Made {
    /// Gives some records to a board. The reader's clock moves on by a second with each.
    pub fn read(&mut self, board: &mut Board, reads: &[Read], from: usize) {
        for (index, read) in (from..).zip(reads) {
            let late_before = board.counts().late;
            let Read { partition, offset, flight } = read;
            let arrival = Arrival {
                partition: *partition,
                offset: *offset,
                arrived_ms: flight.departed_ms(),
                flight,
            };
            let outcome = board.on_flight(arrival, clock_at(index));
            self.results.extend(outcome.results);
            self.dropped.extend(outcome.dropped.map(|record| (record.partition, record.offset)));
            self.late.extend((board.counts().late > late_before).then_some(index));
        }
    }

    /// The latest result of each key in each window.
    pub fn latest(&self) -> BTreeMap<(Window, String), WindowResult> {
        let of_key = |result: &WindowResult| ((result.window, result.key.clone()), result.clone());
        self.results.iter().map(of_key).collect()
    }

    /// The figures of the latest results.
    pub fn figures(&self) -> Figures {
        self.latest().into_iter().map(|(of_key, result)| (of_key, result.delays)).collect()
    }
}

/// The reader's clock when it reads the record at this place of the log.
pub fn clock_at(index: usize) -> Duration {
    Duration::from_secs(index as u64)
}

/// Reads a whole log and ends.
pub fn read_all(mut board: Board, reads: &[Read]) -> Made {
    let mut made = Made::default();
    made.read(&mut board, reads, 0);
    made.results.extend(board.on_end());
    made
}

/// Partitions, each with its flights in the order of their offsets, read in turns: each turn names
/// one of the partitions that have records left. After the last turn they are read one after the
/// other.
pub fn interleave(partitions: &[Vec<Flight>], turns: &[usize]) -> Vec<Read> {
    let mut next = vec![0; partitions.len()];
    let mut reads = Vec::new();
    let mut turns = turns.iter();
    loop {
        let left: Vec<usize> =
            (0..partitions.len()).filter(|id| next[*id] < partitions[*id].len()).collect();
        if left.is_empty() {
            return reads;
        }
        let id = left[turns.next().map_or(0, |turn| turn % left.len())];
        let flight = partitions[id][next[id]].clone();
        reads.push(Read { partition: id as i32, offset: next[id] as i64, flight });
        next[id] += 1;
    }
}

/// The records that the rule names: those whose window, and the allowed lateness, has ended at the
/// watermark of all earlier records. It is the smallest of the partitions' largest timestamps, less
/// the bound, and there is none before each has spoken.
pub fn dropped_by_rule(
    reads: &[Read],
    partitions: usize,
    window_ms: i64,
    bound_ms: i64,
    lateness_ms: i64,
) -> Vec<(i32, i64)> {
    let mut largest_ms: BTreeMap<i32, i64> = BTreeMap::new();
    let mut dropped = Vec::new();
    for read in reads {
        let timestamp_ms = read.flight.scheduled_ms;
        let end_ms = window_of(timestamp_ms, window_ms).end_ms;
        let slowest_ms = largest_ms.values().min().filter(|_| largest_ms.len() == partitions);
        if slowest_ms.is_some_and(|slowest_ms| end_ms + lateness_ms <= slowest_ms - bound_ms) {
            dropped.push((read.partition, read.offset));
        }
        let of_partition = largest_ms.entry(read.partition).or_insert(timestamp_ms);
        *of_partition = timestamp_ms.max(*of_partition);
    }
    dropped
}

fn window_of(timestamp_ms: i64, size_ms: i64) -> Window {
    let start_ms = timestamp_ms.div_euclid(size_ms) * size_ms;
    Window { start_ms, end_ms: start_ms + size_ms }
}

/// A batch over all records but the dropped ones: the `GROUP BY` that the board must be equal to.
pub fn batch(reads: &[Read], dropped: &[(i32, i64)], window_ms: i64) -> Figures {
    let dropped: BTreeSet<&(i32, i64)> = dropped.iter().collect();
    let mut delays_min: BTreeMap<(Window, String), Vec<i32>> = BTreeMap::new();
    let kept = reads.iter().filter(|read| !dropped.contains(&(read.partition, read.offset)));
    for Read { flight, .. } in kept {
        let of_key = (window_of(flight.scheduled_ms, window_ms), flight.origin.clone());
        delays_min.entry(of_key).or_default().push(flight.delay_min);
    }
    let figures = delays_min.into_iter().map(|(of_key, delays_min)| (of_key, counted(&delays_min)));
    figures.collect()
}

/// The records of a log in the order of reading, with the watermark after each by the same rule. A
/// record's label is its partition and its key.
pub fn picture(reads: &[Read], partitions: usize, bound: Duration, lateness: Duration) -> String {
    let heading =
        format!("bound {} · allowed lateness {}", span::text(bound), span::text(lateness));
    let mut timeline = Timeline::new().heading(heading);
    let mut largest_ms: BTreeMap<i32, i64> = BTreeMap::new();
    for Read { partition, flight, .. } in reads {
        let of_partition = largest_ms.entry(*partition).or_insert(flight.scheduled_ms);
        *of_partition = flight.scheduled_ms.max(*of_partition);
        let slowest_ms = largest_ms.values().min().filter(|_| largest_ms.len() == partitions);
        let label = format!("{partition} {}", flight.origin);
        let watermark_ms = slowest_ms.map(|slowest_ms| slowest_ms - lab04::span::millis(bound));
        timeline.record(label, flight.scheduled_ms).watermark(watermark_ms);
    }
    timeline.to_string()
}

/// The two are the same. The picture is drawn only where they are not: that takes longer than the
/// comparison.
#[track_caller]
pub fn same<T: Debug + PartialEq>(
    the_rule: &str,
    question: &str,
    draw: impl FnOnce() -> String,
    got: T,
    expected: T,
) {
    if got != expected {
        rule(the_rule).picture(draw()).ask(question).same(got, expected);
    }
}
