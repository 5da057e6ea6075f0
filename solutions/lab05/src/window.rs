//! Step 1: the window that an instant lies in.

use std::time::Duration;

use flights::utc;
use thiserror::Error;

// ANCHOR: window
/// A stretch of event time: its start belongs to it, its end does not.
///
/// Windows are ordered by their start; those of one size by their end as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    /// Its first millisecond, since the epoch, UTC.
    pub start_ms: i64,
    /// The first millisecond that is no longer in it.
    pub end_ms: i64,
}
// ANCHOR_END: window

/// Windows of one size, one after the other without a gap, aligned to the epoch: one of them starts
/// at 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TumblingWindows {
    size_ms: i64,
}

/// A size that no window can have.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("windows of {size:?}: expected a whole number of milliseconds, from 1 to {}", i64::MAX)]
pub struct SizeError {
    /// The size that was asked for.
    pub size: Duration,
}

/// An instant whose window would begin or end where an `i64` cannot say it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "no window for event time {}: it would begin or end outside of what an i64 can say",
    utc::format(*timestamp_ms)
)]
pub struct NoWindow {
    /// The instant, in milliseconds since the epoch, UTC.
    pub timestamp_ms: i64,
}

impl TumblingWindows {
    /// Windows of this size.
    ///
    /// # Errors
    /// [`SizeError`] when it is not a whole number of milliseconds, is zero, or is longer than an
    /// `i64` can say.
    pub fn new(size: Duration) -> Result<TumblingWindows, SizeError> {
        let size_ms = i64::try_from(size.as_millis()).ok();
        match size_ms {
            Some(size_ms) if size_ms > 0 && size.subsec_nanos().is_multiple_of(1_000_000) => {
                Ok(TumblingWindows { size_ms })
            }
            _ => Err(SizeError { size }),
        }
    }

    /// The one window that an instant lies in, before 1970 too.
    ///
    /// # Errors
    /// [`NoWindow`] when its start or its end leaves the range of an `i64`, in the outermost windows
    /// of all.
    pub fn window_of(&self, timestamp_ms: i64) -> Result<Window, NoWindow> {
        // The remainder of `%` is negative before 1970.
        let start_ms = timestamp_ms.checked_sub(timestamp_ms.rem_euclid(self.size_ms));
        let window = start_ms.and_then(|start_ms| {
            Some(Window { start_ms, end_ms: start_ms.checked_add(self.size_ms)? })
        });
        window.ok_or(NoWindow { timestamp_ms })
    }
}
