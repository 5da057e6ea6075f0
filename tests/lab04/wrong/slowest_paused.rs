//! title: Paused is what is behind the fastest
//! file: skew.rs
//! caught by: step6_skew::the_slowest_partition_is_never_paused
//!
//! The partitions have drifted apart, so some are paused: those far from the fastest. Then the
//! fastest goes on, the slowest waits for it, and the distance grows for ever.

pub fn to_pause(watermarks_ms: &BTreeMap<i32, Option<i64>>, max_drift: Duration) -> BTreeSet<i32> {
    use crate::span::between;

    let spoken = || watermarks_ms.iter().filter_map(|(id, watermark)| Some((*id, (*watermark)?)));
    let fastest_ms = spoken().map(|(_, watermark_ms)| watermark_ms).max().unwrap_or(i64::MAX);
    spoken()
        .filter(|(_, watermark_ms)| between(*watermark_ms, fastest_ms) > max_drift)
        .map(|(partition, _)| partition)
        .collect()
}
