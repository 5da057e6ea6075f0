//! title: Partitions that have not spoken are left out
//! file: partitions.rs
//! caught by: step4_partitions::a_partition_that_has_not_spoken_holds_everything_back
//!
//! `flatten()` makes the options go away, and the board moves at once, with partition 2 empty. It
//! also moves when partition 2 is only slow to start: then its first records are late, every time.

pub fn combine(watermarks_ms: impl IntoIterator<Item = Option<i64>>) -> Option<i64> {
    watermarks_ms.into_iter().flatten().min()
}
