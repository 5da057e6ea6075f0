//! title: The allowed lateness is counted from the record
//! file: dropped.rs
//! caught by: step4_dropped::all_records_of_one_window_have_one_fate
//!
//! "Up to half an hour late" sounds as if it were about the record. It is about the window: else two
//! records of one window, both for the same result, have different fates.

pub fn admit(
    timestamp_ms: i64,
    window: Window,
    allowed_lateness: Duration,
    watermark_ms: Option<i64>,
) -> Result<(), DropReason> {
    let until_ms = timestamp_ms.saturating_add(lab04::span::millis(allowed_lateness));
    match watermark_ms {
        Some(watermark_ms) if window.end_ms.max(until_ms) <= watermark_ms => {
            Err(DropReason::WindowGone { timestamp_ms, window, watermark_ms })
        }
        _ => Ok(()),
    }
}
