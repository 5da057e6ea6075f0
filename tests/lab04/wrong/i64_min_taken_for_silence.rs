//! title: i64::MIN stands for a partition that has not spoken
//! file: partitions.rs
//! caught by: step4_partitions::the_smallest_instant_is_a_watermark_like_any_other
//!
//! A sentinel inside the range of its type. It passes every test with ordinary times, and is the
//! form in which this mistake survives longest.

pub fn combine(watermarks_ms: impl IntoIterator<Item = Option<i64>>) -> Option<i64> {
    let smallest_ms = watermarks_ms.into_iter().map(|ms| ms.unwrap_or(i64::MIN)).min()?;
    (smallest_ms != i64::MIN).then_some(smallest_ms)
}
