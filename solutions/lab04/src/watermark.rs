//! Step 1: a watermark that stays behind the largest timestamp.

use std::time::Duration;

/// The watermark at the end of a bounded input: no record comes any more. It is sent, never stored.
pub const FINAL_WATERMARK_MS: i64 = i64::MAX;

// ANCHOR: bounded_watermark
/// The watermark of a stream whose records are out of order by at most a bound.
///
/// Watermark W says: every record with a timestamp smaller than W has been seen. It stands at the
/// largest timestamp seen so far, less the bound.
///
/// - A watermark that was given out is never taken back.
/// - Before the first record there is none.
/// - Where the result would lie below `i64::MIN`, it is `i64::MIN`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundedWatermark {
    bound: Duration,
    /// `None` before the first record.
    max_timestamp_ms: Option<i64>,
}
// ANCHOR_END: bounded_watermark

impl BoundedWatermark {
    /// A watermark before its first record. A bound below a millisecond is none,
    /// one of more than `i64::MAX` milliseconds is that many.
    pub fn new(bound: Duration) -> BoundedWatermark {
        BoundedWatermark { bound, max_timestamp_ms: None }
    }

    /// The largest timestamp so far, in milliseconds since the epoch, UTC; `None` before the first
    /// record.
    pub fn max_timestamp_ms(&self) -> Option<i64> {
        self.max_timestamp_ms
    }

    /// Takes note of a record.
    pub fn observe(&mut self, timestamp_ms: i64) {
        self.max_timestamp_ms = self.max_timestamp_ms.max(Some(timestamp_ms));
    }

    /// The watermark now, in milliseconds since the epoch, UTC; `None` before the first record.
    pub fn current_ms(&self) -> Option<i64> {
        use crate::span::millis;

        // Ordinary subtraction would wrap, or panic, near i64::MIN.
        self.max_timestamp_ms.map(|max_ms| max_ms.saturating_sub(millis(self.bound)))
    }
}
