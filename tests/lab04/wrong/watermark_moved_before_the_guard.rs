//! title: The guard is asked after the watermark has moved
//! file: guard.rs
//! caught by: step3_guard::a_refused_record_leaves_no_trace_in_the_stream
//!
//! The record is refused, counted and reported. But it went through the stream first, and a
//! watermark never goes back: all later records are late.

pub fn admit(
    guard: &mut Guard,
    arrivals: &mut Arrivals,
    timestamp_ms: i64,
    arrived_ms: i64,
) -> Result<Judged, TooFarAhead> {
    let judged = arrivals.on_record(timestamp_ms);
    guard.check(timestamp_ms, arrived_ms)?;
    Ok(judged)
}
