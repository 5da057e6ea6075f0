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
        // A Duration counts in nanoseconds, up to some 10^19 seconds; a window counts in milliseconds, as an
        // i64. What is lost on the way from the one to the other, and what of that may be lost without a word?
        todo!("step 1: windows of {size:?}")
    }

    /// The one window that an instant lies in, before 1970 too.
    ///
    /// # Errors
    /// [`NoWindow`] when its start or its end leaves the range of an `i64`, in the outermost windows
    /// of all.
    pub fn window_of(&self, timestamp_ms: i64) -> Result<Window, NoWindow> {
        // 1. Try -1 in `%` and in `rem_euclid` before you choose one.
        // 2. Where does the window of i64::MIN start, and where does that of i64::MAX end? No panic and no
        //    wrong number: an error.
        todo!("step 1: the window of {} ms that {timestamp_ms} ms lies in", self.size_ms)
    }
}
