//! Step 5: allowed lateness: results are corrected, and state that nothing may change goes.

use std::time::Duration;

use crate::dropped::DropReason;
use crate::firing::{WindowResult, WindowState};
use crate::window::{SizeError, TumblingWindows};

// ANCHOR: aggregation
/// Departures by airport in tumbling windows, from one stream of records and watermarks.
///
/// A window fires when the watermark reaches its end. A record that comes after that, and before its
/// window is gone, fires its own key once more: the correction replaces the earlier result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aggregation {
    windows: TumblingWindows,
    allowed_lateness: Duration,
    state: WindowState,
    /// `None` before the first.
    watermark_ms: Option<i64>,
}
// ANCHOR_END: aggregation

impl Aggregation {
    /// An aggregation before its first record.
    ///
    /// # Errors
    /// [`SizeError`] when no window can have this length.
    pub fn new(window: Duration, allowed_lateness: Duration) -> Result<Aggregation, SizeError> {
        // What is there before the first record, and who knows whether windows can have this length?
        todo!("step 5: windows of {window:?}, corrected for {allowed_lateness:?}")
    }

    /// Given: an aggregation that goes on after a restart: with this state, at this watermark.
    pub fn from_parts(
        windows: TumblingWindows,
        allowed_lateness: Duration,
        state: WindowState,
        watermark_ms: Option<i64>,
    ) -> Aggregation {
        Aggregation { windows, allowed_lateness, state, watermark_ms }
    }

    /// Takes a record into its window, judged by the watermark so far. Where the window has ended and
    /// is not gone, the correction of the record's key comes at once; that is also so where the
    /// record is the first of its window.
    ///
    /// # Errors
    /// [`DropReason::NoWindow`] and [`DropReason::WindowGone`]: the record changes nothing.
    pub fn on_record(
        &mut self,
        timestamp_ms: i64,
        key: &str,
        delay_min: i32,
    ) -> Result<Option<WindowResult>, DropReason> {
        // 1. Which window, and is it gone? Ask before you put anything into it.
        // 2. Has the window ended by the watermark so far? If it has, who would ever fire this record?
        // 3. A window whose first record comes after its end: what must it remember, so that the next
        //    watermark does not fire it once more?
        todo!("step 5: a departure of {key} at {timestamp_ms} ms, {delay_min} min behind its slot")
    }

    /// The watermark has come to here: fires what has ended, in the order of
    /// [`WindowState::fire`], and then forgets every window that is gone. A watermark that is not
    /// ahead of the last one changes nothing.
    pub fn on_watermark(&mut self, watermark_ms: i64) -> Vec<WindowResult> {
        // 1. Is it ahead of the last one?
        // 2. Two things follow from a watermark. In which order, if a window is both at once: due, and gone?
        todo!("step 5: the watermark has come from {:?} to {watermark_ms} ms", self.watermark_ms)
    }

    /// What is kept: the gauge of the job's memory.
    pub fn state(&self) -> &WindowState {
        &self.state
    }

    /// The watermark that came last, in milliseconds since the epoch, UTC.
    pub fn watermark_ms(&self) -> Option<i64> {
        self.watermark_ms
    }
}
