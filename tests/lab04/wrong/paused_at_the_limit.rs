//! title: At the limit a partition is paused
//! file: skew.rs
//! caught by: step6_skew::what_is_too_far_ahead_is_paused
//!
//! `>=` for `>`. With an allowed drift of zero this pauses the slowest partition too, and the
//! reader stands still for ever.

pub fn to_pause(watermarks_ms: &BTreeMap<i32, Option<i64>>, max_drift: Duration) -> BTreeSet<i32> {
    drifts(watermarks_ms)
        .into_iter()
        .filter(|(_, drift)| *drift >= max_drift)
        .map(|(partition, _)| partition)
        .collect()
}
