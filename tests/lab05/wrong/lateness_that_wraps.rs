//! title: The end of the lateness wraps
//! file: dropped.rs
//! caught by: step4_dropped::at_the_ends_of_i64_no_window_is_gone_too_early
//!
//! "For ever" is a natural setting for a lateness, and Duration::MAX a natural way to say it. Added to an
//! end it wraps: what should be kept for ever is gone at once. With plain `+` a debug build panics.

pub fn is_gone(window: Window, allowed_lateness: Duration, watermark_ms: Option<i64>) -> bool {
    let gone_at_ms = window.end_ms.wrapping_add(lab04::span::millis(allowed_lateness));
    watermark_ms.is_some_and(|watermark_ms| gone_at_ms <= watermark_ms)
}
