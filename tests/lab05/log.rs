//! Logs of several partitions, read in some order: what a board makes of them, and what a batch
//! does, written without the learner's own code.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::time::Duration;

use flights::Flight;
use lab04::span::millis;
use lab05::board::{Arrival, Board, BoardConfig};
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

/// The watermark of all records so far, by the rule: the smallest of the partitions' largest
/// timestamps, less the bound. There is none before each has spoken, and a record that is too far
/// ahead of its arrival does not count.
struct Watermark<'a> {
    partitions: usize,
    config: &'a BoardConfig,
    largest_ms: BTreeMap<i32, i64>,
}

impl Watermark<'_> {
    fn new(partitions: usize, config: &BoardConfig) -> Watermark<'_> {
        Watermark { partitions, config, largest_ms: BTreeMap::new() }
    }

    fn is_too_far_ahead(&self, flight: &Flight) -> bool {
        flight.scheduled_ms - flight.departed_ms() > millis(self.config.allowed_ahead)
    }

    fn on_record(&mut self, Read { partition, flight, .. }: &Read) {
        if !self.is_too_far_ahead(flight) {
            let of_partition = self.largest_ms.entry(*partition).or_insert(flight.scheduled_ms);
            *of_partition = flight.scheduled_ms.max(*of_partition);
        }
    }

    fn current_ms(&self) -> Option<i64> {
        let have_all_spoken = self.largest_ms.len() == self.partitions;
        let slowest_ms = self.largest_ms.values().min().filter(|_| have_all_spoken);
        slowest_ms.map(|slowest_ms| slowest_ms - millis(self.config.bound))
    }
}

/// The records that the rule names: those that are too far ahead of their arrival, and those whose
/// window, and the allowed lateness, has ended at the watermark of all earlier records.
pub fn dropped_by_rule(reads: &[Read], partitions: usize, config: &BoardConfig) -> Vec<(i32, i64)> {
    let [window_ms, lateness_ms] = [config.window, config.allowed_lateness].map(millis);
    let mut watermark = Watermark::new(partitions, config);
    let mut dropped = Vec::new();
    for read in reads {
        let gone_at_ms = window_of(read.flight.scheduled_ms, window_ms).end_ms + lateness_ms;
        let is_gone = watermark.current_ms().is_some_and(|watermark_ms| gone_at_ms <= watermark_ms);
        if is_gone || watermark.is_too_far_ahead(&read.flight) {
            dropped.push((read.partition, read.offset));
        }
        watermark.on_record(read);
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
pub fn picture(reads: &[Read], partitions: usize, config: &BoardConfig) -> String {
    let [window, bound, lateness] =
        [config.window, config.bound, config.allowed_lateness].map(span::text);
    let heading = format!("windows of {window} · bound {bound} · allowed lateness {lateness}");
    let mut timeline = Timeline::new().heading(heading);
    let mut watermark = Watermark::new(partitions, config);
    for read in reads {
        let Read { partition, flight, .. } = read;
        watermark.on_record(read);
        let label = format!("{partition} {}", flight.origin);
        let row = timeline.record(label, flight.scheduled_ms).watermark(watermark.current_ms());
        if watermark.is_too_far_ahead(flight) {
            row.mark("too far ahead");
        }
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
