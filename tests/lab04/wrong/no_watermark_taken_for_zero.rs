//! title: Where there is no watermark, zero is compared
//! file: lateness.rs
//! caught by: step2_lateness::before_the_first_watermark_nothing_is_late
//!
//! `unwrap_or(0)` looks harmless, since all flights are of 2013. A record from before 1970 is late
//! then, although nothing was promised.

pub fn judge(timestamp_ms: i64, watermark_ms: Option<i64>) -> Judged {
    use crate::span::between;

    let limit_ms = watermark_ms.unwrap_or(0);
    let late_by = (timestamp_ms < limit_ms).then(|| between(timestamp_ms, limit_ms));
    Judged { timestamp_ms, watermark_ms, late_by }
}
