//! Step 6: partitions that are read at different speeds.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How far each partition's watermark is ahead of the slowest one's. Partitions that have not spoken
/// are left out: nobody knows where they are.
pub fn drifts(watermarks_ms: &BTreeMap<i32, Option<i64>>) -> BTreeMap<i32, Duration> {
    // Who is the slowest of those whose place is known? `span::between` does not wrap.
    todo!("step 6: how far is each of {watermarks_ms:?} ahead of the slowest?")
}

/// The partitions that a reader should pause until the slowest has come nearer: those that are ahead
/// of it by more than `max_drift`. All others should be read on. The slowest itself is never among
/// them, or nothing would ever move again.
///
/// What is read ahead of the slowest partition can't be finished, since the combined watermark waits
/// for that one. It is kept in memory instead. Flink calls this *watermark alignment*.
pub fn to_pause(watermarks_ms: &BTreeMap<i32, Option<i64>>, max_drift: Duration) -> BTreeSet<i32> {
    // Exactly at the limit: is that too far?
    todo!("step 6: which of {watermarks_ms:?} are ahead by more than {max_drift:?}?")
}
