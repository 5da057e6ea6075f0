//! Step 1: what may be committed.

use std::collections::BTreeMap;

/// For each partition the offset of the next record to read: a position, or a committed offset.
pub type Offsets = BTreeMap<i32, i64>;

// ANCHOR: progress
/// What was polled, what of it is processed, and so what may be committed.
///
/// A committed offset is the offset of the next record to read: everything before it is done.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    /// By partition. A partition is in here from its first record on until it is revoked.
    partitions: BTreeMap<i32, PartitionProgress>,
}

/// The progress in one partition.
#[derive(Debug, Clone, Default)]
pub struct PartitionProgress {
    /// Each polled record by its offset, and whether it is processed. The first one is not: what
    /// is processed at the front is taken out.
    pub in_hand: BTreeMap<i64, bool>,
    /// What may be committed; `None` as long as nothing may.
    pub next: Option<i64>,
}
// ANCHOR_END: progress

impl Progress {
    /// A record was polled: it is in hand, and not processed yet.
    ///
    /// Within a partition, records are polled by rising offsets. Offsets are not a count: markers
    /// of transactions and records that compaction took leave gaps.
    pub fn polled(&mut self, partition: i32, offset: i64) {
        // What has to be remembered of a record until it is processed?
        todo!("step 1: {offset} of partition {partition} is in hand, with {:?}", self.partitions)
    }

    /// A record was processed, in whatever order. A record that is not in hand changes nothing:
    /// its partition was revoked while it was being processed.
    pub fn processed(&mut self, partition: i32, offset: i64) {
        // Which records at the front are processed now? How far may a commit go, and what stops it?
        // What is there to do for a record that is not in hand?
        todo!("step 1: {offset} of partition {partition} is processed, of {:?}", self.partitions)
    }

    /// The partition belongs to another member now, who commits for it from here on.
    pub fn revoked(&mut self, partition: i32) {
        // What would a commit for this partition do to its new owner? And what if a record of it is
        // still being processed?
        todo!("step 1: partition {partition} is revoked, of {:?}", self.partitions)
    }

    /// For each partition the offset behind its last processed record; where a record before that
    /// one is still in hand, behind the last one before the gap. A partition of which nothing may
    /// be committed is left out.
    pub fn to_commit(&self) -> Offsets {
        // Offset 41 is processed and nothing else. Which record does a restart read first?
        todo!("step 1: what may be committed of {:?}", self.partitions)
    }
}
