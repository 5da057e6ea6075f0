//! Given: what a checkpoint holds, as plain data that serde can write and a person can read.

use lab05::board::BoardCounts;
use lab05::delays::Delays;
use lab05::dropped::DropCounts;
use lab05::firing::{Kept, KeptWindow, WindowState};
use lab05::window::Window;
use serde::{Deserialize, Serialize};

// ANCHOR: checkpoint
/// All that a job must remember to go on as if nothing had happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// Its number: 1 for a job's first, one more each time.
    pub id: u64,
    /// The topic that its offsets are of. On another topic they mean nothing.
    pub topic: String,
    /// Whether the input was bounded and had been read to its end. The results that only the end
    /// brought are in the table; the final watermark that brought them is nowhere in here.
    pub finished: bool,
    /// The partitions, in order.
    pub partitions: Vec<SavedPartition>,
    /// The watermark that was given out last, in milliseconds since the epoch, UTC.
    pub watermark_ms: Option<i64>,
    /// The allowed lateness, in milliseconds. By it windows were let go that are no longer in here.
    pub allowed_lateness_ms: i64,
    /// The windows that may still change, in order.
    pub windows: Vec<SavedWindow>,
    /// What became of the records.
    pub counts: SavedCounts,
}
// ANCHOR_END: checkpoint

/// A partition: how far it was processed, and what its watermark stands on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedPartition {
    /// The partition.
    pub partition: i32,
    /// The last processed offset + 1: where the next job reads on.
    pub next_offset: i64,
    /// The last processed record, by which a topic made anew is found out; `None` before the first.
    pub last_record: Option<Fingerprint>,
    /// The largest timestamp so far, in milliseconds since the epoch, UTC; `None` where it has not
    /// spoken yet.
    pub max_timestamp_ms: Option<i64>,
    /// Whether nobody waits for it.
    pub idle: bool,
}

/// A record, without its contents: enough to see whether it is still the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fingerprint {
    /// Its place in the partition.
    pub offset: i64,
    /// Its timestamp, in milliseconds since the epoch, UTC; -1 where it has none.
    pub timestamp_ms: i64,
    /// The check sum (CRC-32) of its payload; of no bytes where it has none.
    pub payload_crc32: u32,
}

/// A window that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedWindow {
    /// Its first millisecond, since the epoch, UTC.
    pub start_ms: i64,
    /// The first millisecond that is no longer in it.
    pub end_ms: i64,
    /// Whether the watermark has reached its end.
    pub has_fired: bool,
    /// Its keys, in order.
    pub keys: Vec<SavedKey>,
}

/// What is kept of one key in one window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedKey {
    /// The key: the airport.
    pub key: String,
    /// How many departures.
    pub count: u64,
    /// The sum of their delays, in minutes.
    pub sum_min: i64,
    /// The longest of their delays, in minutes.
    pub worst_min: Option<i32>,
    /// How many left more than 15 minutes behind their slot.
    pub over_15_min: u64,
    /// How often the figures were given out.
    pub revision: u32,
}

/// What became of the records until the checkpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedCounts {
    /// Flights that the board has seen.
    pub read: u64,
    /// Flights behind the watermark, dropped or not.
    pub late: u64,
    /// Flights whose window was gone.
    pub window_gone: u64,
    /// Flights that the guard refused.
    pub too_far_ahead: u64,
    /// Flights for which there is no window.
    pub no_window: u64,
    /// Results that were given out, corrections among them.
    pub results: u64,
    /// Records that are no flight. The board never sees them.
    pub unreadable: u64,
}

impl Checkpoint {
    /// Sees what the types alone cannot: that the number has a successor, and that no partition, no
    /// window and no key is there twice.
    ///
    /// # Errors
    /// The first contradiction, in words.
    pub fn check(&self) -> Result<(), String> {
        if i64::try_from(self.id).is_err() || self.id == i64::MAX.unsigned_abs() {
            return Err(format!("number {}, expected one below {}", self.id, i64::MAX));
        }
        if !self.partitions.is_sorted_by(|one, next| one.partition < next.partition) {
            return Err("a partition is there twice, or out of order".to_owned());
        }
        let windows = &self.windows;
        if !windows
            .is_sorted_by(|one, next| (one.start_ms, one.end_ms) < (next.start_ms, next.end_ms))
        {
            return Err("a window is there twice, or out of order".to_owned());
        }
        if !windows.iter().all(|window| window.keys.is_sorted_by(|one, next| one.key < next.key)) {
            return Err("an airport is twice in a window, or out of order".to_owned());
        }
        Ok(())
    }
}

impl SavedWindow {
    /// All windows that are kept, in order.
    pub fn all_of(state: &WindowState) -> Vec<SavedWindow> {
        let saved = state.windows.iter().map(|(window, kept)| SavedWindow {
            start_ms: window.start_ms,
            end_ms: window.end_ms,
            has_fired: kept.has_fired,
            keys: kept.by_key.iter().map(|(key, kept)| SavedKey::of(key, kept)).collect(),
        });
        saved.collect()
    }

    /// The windows as they were.
    pub fn restored(saved: &[SavedWindow]) -> WindowState {
        let windows = saved.iter().map(|saved| {
            let window = Window { start_ms: saved.start_ms, end_ms: saved.end_ms };
            let by_key = saved.keys.iter().map(|saved| (saved.key.clone(), saved.kept())).collect();
            (window, KeptWindow { has_fired: saved.has_fired, by_key })
        });
        WindowState { windows: windows.collect() }
    }
}

impl SavedKey {
    fn of(key: &str, kept: &Kept) -> SavedKey {
        let Delays { count, sum_min, worst_min, over_15_min } = kept.delays;
        let (key, revision) = (key.to_owned(), kept.revision);
        SavedKey { key, count, sum_min, worst_min, over_15_min, revision }
    }

    fn kept(&self) -> Kept {
        let SavedKey { count, sum_min, worst_min, over_15_min, revision, .. } = *self;
        Kept { delays: Delays { count, sum_min, worst_min, over_15_min }, revision }
    }
}

impl SavedCounts {
    /// The board's counters, and that of the records which it never sees.
    pub fn of(counts: &BoardCounts, unreadable: u64) -> SavedCounts {
        let BoardCounts { read, late, dropped, results } = *counts;
        let DropCounts { window_gone, too_far_ahead, no_window } = dropped;
        SavedCounts { read, late, window_gone, too_far_ahead, no_window, results, unreadable }
    }

    /// The board's counters as they were.
    pub fn board_counts(&self) -> BoardCounts {
        let SavedCounts { read, late, window_gone, too_far_ahead, no_window, results, .. } = *self;
        let dropped = DropCounts { window_gone, too_far_ahead, no_window };
        BoardCounts { read, late, dropped, results }
    }
}
