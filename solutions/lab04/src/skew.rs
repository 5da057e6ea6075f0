//! Step 6: partitions that are read at different speeds.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How far each partition's watermark is ahead of the slowest one's. Partitions that have not spoken
/// are left out: nobody knows where they are.
pub fn drifts(watermarks_ms: &BTreeMap<i32, Option<i64>>) -> BTreeMap<i32, Duration> {
    use crate::span::between;

    let spoken = || watermarks_ms.iter().filter_map(|(id, watermark)| Some((*id, (*watermark)?)));
    let slowest_ms = spoken().map(|(_, watermark_ms)| watermark_ms).min();
    spoken()
        .map(|(id, watermark_ms)| (id, between(slowest_ms.unwrap_or(watermark_ms), watermark_ms)))
        .collect()
}

/// The partitions that a reader should pause until the slowest has come nearer: those that are ahead
/// of it by more than `max_drift`. All others should be read on. The slowest itself is never among
/// them, or nothing would ever move again.
///
/// What is read ahead of the slowest partition can't be finished, since the combined watermark waits
/// for that one. It is kept in memory instead. Flink calls this *watermark alignment*.
pub fn to_pause(watermarks_ms: &BTreeMap<i32, Option<i64>>, max_drift: Duration) -> BTreeSet<i32> {
    drifts(watermarks_ms)
        .into_iter()
        .filter(|(_, drift)| *drift > max_drift)
        .map(|(partition, _)| partition)
        .collect()
}
