//! title: A partition that has not spoken stands at the beginning of time
//! file: skew.rs
//! caught by: step6_skew::a_partition_that_has_not_spoken_has_no_drift
//!
//! The combined watermark waits for a partition that has not spoken, so it seems right that reading
//! waits too. But an empty partition never speaks. All others are paused, for ever.

pub fn drifts(watermarks_ms: &BTreeMap<i32, Option<i64>>) -> BTreeMap<i32, Duration> {
    use crate::span::between;

    let each = || watermarks_ms.iter().map(|(id, watermark)| (*id, watermark.unwrap_or(i64::MIN)));
    let slowest_ms = each().map(|(_, watermark_ms)| watermark_ms).min().unwrap_or(i64::MIN);
    each().map(|(id, watermark_ms)| (id, between(slowest_ms, watermark_ms))).collect()
}
