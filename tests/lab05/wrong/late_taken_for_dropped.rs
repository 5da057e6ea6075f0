//! title: Every late record is dropped
//! file: dropped.rs
//! caught by: step4_dropped::a_late_record_whose_window_is_open_is_admitted
//!
//! The record is behind the watermark, so it is too late, so it goes: three steps, and the second is
//! wrong. On the calm week that throws away 1,416 records where 695 have lost their window.

pub fn admit(
    timestamp_ms: i64,
    window: Window,
    allowed_lateness: Duration,
    watermark_ms: Option<i64>,
) -> Result<(), DropReason> {
    let _ = allowed_lateness;
    match watermark_ms {
        Some(watermark_ms) if timestamp_ms < watermark_ms => {
            Err(DropReason::WindowGone { timestamp_ms, window, watermark_ms })
        }
        _ => Ok(()),
    }
}
