//! Step 6: the departure board by event time: guard, watermark and windows as one.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use flights::Flight;
use lab04::guard::Guard;
use lab04::idle::{CombinedWatermark, WatermarkParts};
use lab04::lateness::Counts;

use crate::corrections::Aggregation;
use crate::dropped::{DropCounts, DropReason};
use crate::firing::{WindowResult, WindowState};
use crate::window::SizeError;

// ANCHOR: board_config
/// How a board counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardConfig {
    /// The length of its windows.
    pub window: Duration,
    /// The allowed out-of-orderness.
    pub bound: Duration,
    /// How long behind the watermark a window may still be corrected.
    pub allowed_lateness: Duration,
    /// After how long a silence a partition is idle; `None` when none ever is.
    pub idle_after: Option<Duration>,
    /// How far event time may be ahead of the arrival.
    pub allowed_ahead: Duration,
}
// ANCHOR_END: board_config

// ANCHOR: arrival
/// A flight as it came from the topic.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// The partition of its record.
    pub partition: i32,
    /// Its place in the partition.
    pub offset: i64,
    /// The record's own timestamp, when the flight left, in milliseconds since the epoch, UTC.
    pub arrived_ms: i64,
    /// The flight.
    pub flight: &'a Flight,
}

/// A record that is in no window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DroppedRecord {
    /// Its partition.
    pub partition: i32,
    /// Its place in the partition.
    pub offset: i64,
    /// Why it was dropped.
    pub reason: DropReason,
}

/// What one record brought about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The results that are due now, in order: a correction, then the windows that fire.
    pub results: Vec<WindowResult>,
    /// The record itself, if it was dropped.
    pub dropped: Option<DroppedRecord>,
}
// ANCHOR_END: arrival

/// What became of the records. Always: `read` is the sum of those that were dropped, those in the
/// latest revision of each result, and those in windows that have not fired.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BoardCounts {
    /// All records.
    pub read: u64,
    /// Records behind the watermark, dropped or not.
    pub late: u64,
    /// Records in no window.
    pub dropped: DropCounts,
    /// Results that were given out, corrections among them.
    pub results: u64,
}

/// All that a board must remember to go on after a restart. Lab 06 makes checkpoints of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BoardParts {
    /// The largest timestamp of each partition, in milliseconds since the epoch, UTC; `None` where
    /// it has not spoken yet.
    pub max_timestamps_ms: BTreeMap<i32, Option<i64>>,
    /// The partitions that nobody waits for.
    pub idle: BTreeSet<i32>,
    /// The watermark that was given out last.
    pub watermark_ms: Option<i64>,
    /// The windows that may still change.
    pub windows: WindowState,
    /// What became of the records.
    pub counts: BoardCounts,
}

/// The board: what comes in are records and readings of the reader's clock, what comes out are
/// results and dropped records. It asks no clock itself and does nothing else, so the same calls
/// give the same answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Board {
    guard: Guard,
    watermark: CombinedWatermark,
    aggregation: Aggregation,
    counts: BoardCounts,
}

impl Board {
    /// A board before its first record, of these partitions, at zero of the reader's clock.
    ///
    /// # Errors
    /// [`SizeError`] when no window can have the length.
    pub fn new(partitions: &[i32], config: &BoardConfig) -> Result<Board, SizeError> {
        Ok(Board {
            guard: Guard::new(config.allowed_ahead),
            watermark: CombinedWatermark::new(partitions, config.bound, config.idle_after),
            aggregation: Aggregation::new(config.window, config.allowed_lateness)?,
            counts: BoardCounts::default(),
        })
    }

    /// Given: all that must be remembered to go on from here. After [`on_end`](Board::on_end) it is too
    /// late: windows have fired by a watermark that is never stored.
    pub fn parts(&self) -> BoardParts {
        let watermark = self.watermark.parts();
        BoardParts {
            max_timestamps_ms: watermark.max_timestamps_ms,
            idle: watermark.idle,
            watermark_ms: watermark.current_ms,
            windows: self.aggregation.state().clone(),
            counts: self.counts,
        }
    }

    /// Given: a board that goes on from there, at zero of the reader's clock.
    ///
    /// # Errors
    /// [`SizeError`] when no window can have the length.
    pub fn from_parts(parts: BoardParts, config: &BoardConfig) -> Result<Board, SizeError> {
        use crate::window::TumblingWindows;

        let windows = TumblingWindows::new(config.window)?;
        let counts = parts.counts;
        let judged = counts.read.saturating_sub(counts.dropped.too_far_ahead);
        let watermark = WatermarkParts {
            max_timestamps_ms: parts.max_timestamps_ms,
            idle: parts.idle,
            current_ms: parts.watermark_ms,
            counts: Counts { on_time: judged.saturating_sub(counts.late), late: counts.late },
        };
        Ok(Board {
            guard: Guard::with_refused(config.allowed_ahead, counts.dropped.too_far_ahead),
            watermark: CombinedWatermark::from_parts(&watermark, config.bound, config.idle_after),
            aggregation: Aggregation::from_parts(
                windows,
                config.allowed_lateness,
                parts.windows,
                parts.watermark_ms,
            ),
            counts,
        })
    }

    /// Given: a partition was added to the topic, and found at this reading of the reader's clock. It is
    /// waited for from now on, also before its first record.
    pub fn add_partition(&mut self, partition: i32, clock: Duration) {
        self.watermark.add_partition(partition, clock);
    }

    /// Takes a record: the guard looks at it first; then its window takes it, judged by the
    /// watermark of all *earlier* records; then it moves the watermark, dropped or not; then fires
    /// what has ended by that. A record that the guard refuses does nothing but count.
    pub fn on_flight(&mut self, arrival: Arrival<'_>, clock: Duration) -> Outcome {
        let Arrival { partition, offset, arrived_ms, flight } = arrival;
        let mut outcome = Outcome::default();
        self.counts.read += 1;
        let passed = self.guard.check(flight.scheduled_ms, arrived_ms);
        let is_refused = passed.is_err();
        let taken = passed.map_err(DropReason::from).and_then(|()| {
            self.aggregation.on_record(flight.scheduled_ms, &flight.origin, flight.delay_min)
        });
        match taken {
            Ok(correction) => outcome.results.extend(correction),
            Err(reason) => {
                self.counts.dropped.add(&reason);
                outcome.dropped = Some(DroppedRecord { partition, offset, reason });
            }
        }
        self.counts.results += outcome.results.len() as u64;
        if !is_refused {
            let judged = self.watermark.on_record(partition, flight.scheduled_ms, clock);
            self.counts.late += u64::from(judged.is_late());
            outcome.results.extend(self.fire());
        }
        outcome
    }

    /// The reader's clock shows this: partitions may have become idle, and windows may fire by that.
    pub fn on_time(&mut self, clock: Duration) -> Vec<WindowResult> {
        self.watermark.on_time(clock);
        self.fire()
    }

    /// A partition is read to its end, and no further record of it is expected: nobody waits for it
    /// from now on. Should one come all the same, the partition is waited for again.
    pub fn on_end_of(&mut self, partition: i32) -> Vec<WindowResult> {
        self.watermark.on_end_of(partition);
        self.fire()
    }

    /// Tells the windows how far the watermark is, if there is one: what has ended fires.
    /// [`on_flight`](Board::on_flight), [`on_time`](Board::on_time) and
    /// [`on_end_of`](Board::on_end_of) end with it; to call it once more changes nothing.
    pub fn fire(&mut self) -> Vec<WindowResult> {
        let watermark_ms = self.watermark.current_ms();
        let results = watermark_ms.map(|ms| self.aggregation.on_watermark(ms)).unwrap_or_default();
        self.counts.results += results.len() as u64;
        results
    }

    /// The input has ended: every window that has not fired does so now, and none is kept. The final
    /// watermark goes to the windows alone; [`watermark`](Board::watermark) stays the last real one.
    pub fn on_end(&mut self) -> Vec<WindowResult> {
        use lab04::watermark::FINAL_WATERMARK_MS;

        let results = self.aggregation.on_watermark(FINAL_WATERMARK_MS);
        self.counts.results += results.len() as u64;
        results
    }

    /// The watermarks as they are now.
    pub fn watermark(&self) -> &CombinedWatermark {
        &self.watermark
    }

    /// The windows and what is kept of them.
    pub fn aggregation(&self) -> &Aggregation {
        &self.aggregation
    }

    /// The records so far.
    pub fn counts(&self) -> BoardCounts {
        self.counts
    }
}
