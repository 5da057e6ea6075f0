//! title: A record at the watermark is late
//! file: lateness.rs
//! caught by: step2_lateness::a_record_is_late_when_it_is_behind_the_watermark
//!
//! `<=` for `<`. It is right in Flink, whose watermark is inclusive and smaller by a millisecond.
//! Ours is exclusive. With flights of whole minutes a few per cent more of them are late.

pub fn judge(timestamp_ms: i64, watermark_ms: Option<i64>) -> Judged {
    use crate::span::between;

    let late_by = watermark_ms
        .filter(|watermark_ms| timestamp_ms <= *watermark_ms)
        .map(|watermark_ms| between(timestamp_ms, watermark_ms));
    Judged { timestamp_ms, watermark_ms, late_by }
}
