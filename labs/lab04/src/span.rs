//! Given: spans of time in milliseconds.

use std::time::Duration;

/// A span in whole milliseconds, rounded down; `i64::MAX` where it is longer than an `i64` can say,
/// which is 292 million years.
pub fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// From one instant to a later one; zero where the second is the earlier one. Every two instants
/// have such a span: the subtraction itself could leave the range of an `i64`.
pub fn between(from_ms: i64, to_ms: i64) -> Duration {
    if to_ms > from_ms { Duration::from_millis(to_ms.abs_diff(from_ms)) } else { Duration::ZERO }
}
