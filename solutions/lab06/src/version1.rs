//! Given: checkpoints of version 1, as last year's program wrote them.
//!
//! That program knew neither allowed lateness nor idle partitions nor the guard, and it stopped at a
//! record that was no flight.

use std::time::Duration;

use lab04::span::millis;
use serde::{Deserialize, Serialize};

use crate::checkpoint::Head;
use crate::state::{Checkpoint, SavedPartition, SavedWindow};

// ANCHOR: version1
/// A checkpoint of version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointV1 {
    /// Its number.
    pub id: u64,
    /// The topic.
    pub topic: String,
    /// The allowed out-of-orderness of the program that wrote it, in milliseconds.
    pub bound_ms: i64,
    /// The partitions, in order.
    pub partitions: Vec<PartitionV1>,
    /// One row for each window and airport, in no order. All of them are open: without allowed
    /// lateness, a window that has fired is gone.
    pub rows: Vec<RowV1>,
    /// Flights that were read.
    pub read: u64,
    /// Flights behind the watermark, dropped or not.
    pub late: u64,
    /// Flights whose window was gone.
    pub dropped: u64,
    /// Results that were given out.
    pub results: u64,
}

/// A partition in version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartitionV1 {
    /// The partition.
    pub partition: i32,
    /// The last *processed* offset, not the one behind it; -1 before the first.
    pub processed_offset: i64,
    /// Its watermark: the largest timestamp less the bound; `None` where it has not spoken yet.
    pub watermark_ms: Option<i64>,
}

/// What was kept of one airport in one window in version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowV1 {
    /// The window's first millisecond, since the epoch, UTC.
    pub start_ms: i64,
    /// The window's length, in minutes.
    pub minutes: i64,
    /// The airport.
    pub origin: String,
    /// How many departures.
    pub count: u64,
    /// The sum of their delays, in *seconds*.
    pub sum_s: i64,
    /// The longest of their delays, in *seconds*.
    pub worst_s: i64,
    /// How many left more than 15 minutes behind their slot.
    pub over_15_min: u64,
}
// ANCHOR_END: version1

/// Writes a checkpoint as last year's program would have done, with its bound.
///
/// # Errors
/// What of the checkpoint that program could not have known, in words.
pub fn encode_version1(checkpoint: &Checkpoint, bound: Duration) -> Result<Vec<u8>, String> {
    let old = CheckpointV1::of(checkpoint, bound)?;
    let mut body = serde_json::to_vec_pretty(&old).expect("plain data can be written");
    body.push(b'\n');
    let head = Head { version: 1, crc32: crc32fast::hash(&body), bytes: body.len() };
    Ok([head.line().into_bytes(), body].concat())
}

impl CheckpointV1 {
    fn of(checkpoint: &Checkpoint, bound: Duration) -> Result<CheckpointV1, String> {
        let counts = checkpoint.counts;
        if counts.too_far_ahead + counts.no_window + counts.unreadable > 0 {
            return Err("version 1 stopped at a record that it could not count".to_owned());
        }
        if checkpoint.allowed_lateness_ms > 0 {
            return Err("version 1 knew no allowed lateness".to_owned());
        }
        if checkpoint.finished || checkpoint.partitions.iter().any(|saved| saved.idle) {
            return Err("version 1 knew neither idle partitions nor the end of an input".to_owned());
        }
        let bound_ms = millis(bound);
        let partition = |saved: &SavedPartition| PartitionV1 {
            partition: saved.partition,
            processed_offset: saved.next_offset - 1,
            watermark_ms: saved.max_timestamp_ms.map(|max_ms| max_ms.saturating_sub(bound_ms)),
        };
        Ok(CheckpointV1 {
            id: checkpoint.id,
            topic: checkpoint.topic.clone(),
            bound_ms,
            partitions: checkpoint.partitions.iter().map(partition).collect(),
            rows: checkpoint.windows.iter().flat_map(rows_of).collect(),
            read: counts.read,
            late: counts.late,
            dropped: counts.window_gone,
            results: counts.results,
        })
    }
}

fn rows_of(window: &SavedWindow) -> Vec<RowV1> {
    let row = |key: &crate::state::SavedKey| RowV1 {
        start_ms: window.start_ms,
        minutes: (window.end_ms - window.start_ms) / 60_000,
        origin: key.key.clone(),
        count: key.count,
        sum_s: key.sum_min * 60,
        worst_s: i64::from(key.worst_min.unwrap_or_default()) * 60,
        over_15_min: key.over_15_min,
    };
    window.keys.iter().map(row).collect()
}
