//! title: A window is gone a millisecond late
//! file: dropped.rs
//! caught by: step4_dropped::a_window_is_gone_when_its_end_and_the_allowed_lateness_are_at_the_watermark
//!
//! `<` for `<=`. A window that has fired then takes one more record at the very watermark that fired it.
//! Without allowed lateness nobody corrects its result: the record is in no count at all.

pub fn is_gone(window: Window, allowed_lateness: Duration, watermark_ms: Option<i64>) -> bool {
    let gone_at_ms = window.end_ms.saturating_add(lab04::span::millis(allowed_lateness));
    watermark_ms.is_some_and(|watermark_ms| gone_at_ms < watermark_ms)
}
