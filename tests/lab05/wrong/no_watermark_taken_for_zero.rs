//! title: No watermark is taken for zero
//! file: dropped.rs
//! caught by: step4_dropped::before_the_first_watermark_no_window_is_gone
//!
//! `unwrap_or(0)` turns "nobody knows" into 1970. For the flights of 2013 it makes no difference; what
//! comes from before 1970 is dropped before anything was promised.

pub fn is_gone(window: Window, allowed_lateness: Duration, watermark_ms: Option<i64>) -> bool {
    let gone_at_ms = window.end_ms.saturating_add(lab04::span::millis(allowed_lateness));
    gone_at_ms <= watermark_ms.unwrap_or(0)
}
