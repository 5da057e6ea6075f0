//! Step 4: a watermark a partition, combined by minimum.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::watermark::BoundedWatermark;

// ANCHOR: partition_watermarks
/// The watermarks of the partitions that one reader reads.
///
/// Kafka keeps an order within a partition and none across partitions. So each partition has a
/// watermark of its own. For all of them together only that is sure which the slowest one says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionWatermarks {
    bound: Duration,
    by_partition: BTreeMap<i32, BoundedWatermark>,
}
// ANCHOR_END: partition_watermarks

impl PartitionWatermarks {
    /// The partitions that the reader was given, before their first records.
    pub fn new(partitions: &[i32], bound: Duration) -> PartitionWatermarks {
        let unspoken = |partition: &i32| (*partition, BoundedWatermark::new(bound));
        PartitionWatermarks { bound, by_partition: partitions.iter().map(unspoken).collect() }
    }

    /// Given: a partition was added to the topic. It has not spoken, and so it is waited for.
    pub fn add(&mut self, partition: i32) {
        let unspoken = || BoundedWatermark::new(self.bound);
        self.by_partition.entry(partition).or_insert_with(unspoken);
    }

    /// Takes note of a record of a partition. It moves no other partition's watermark. A partition
    /// that was not known, because it was added to the topic later, is one of them from now on.
    pub fn observe(&mut self, partition: i32, timestamp_ms: i64) {
        self.by_partition
            .entry(partition)
            .or_insert_with(|| BoundedWatermark::new(self.bound))
            .observe(timestamp_ms);
    }

    /// Each partition and its largest timestamp, by partition; `None` where it has not spoken yet.
    pub fn max_timestamps_ms(&self) -> impl Iterator<Item = (i32, Option<i64>)> {
        self.by_partition.iter().map(|(id, watermark)| (*id, watermark.max_timestamp_ms()))
    }

    /// Each partition and its own watermark, by partition; `None` where it has not spoken yet.
    pub fn each_ms(&self) -> impl Iterator<Item = (i32, Option<i64>)> {
        self.by_partition.iter().map(|(id, watermark)| (*id, watermark.current_ms()))
    }
}

/// The watermark of several partitions together: the smallest of theirs. `None` as long as one of
/// them has not spoken, since its first record may have any timestamp; and `None` where there are no
/// partitions at all.
pub fn combine(watermarks_ms: impl IntoIterator<Item = Option<i64>>) -> Option<i64> {
    // Among options, `None` is the smallest.
    watermarks_ms.into_iter().min().flatten()
}
