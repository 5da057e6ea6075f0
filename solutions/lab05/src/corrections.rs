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
        let windows = TumblingWindows::new(window)?;
        let state = WindowState::default();
        Ok(Aggregation { windows, allowed_lateness, state, watermark_ms: None })
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
        use crate::dropped::admit;

        let window = self.windows.window_of(timestamp_ms)?;
        admit(timestamp_ms, window, self.allowed_lateness, self.watermark_ms)?;
        self.state.add(window, key, delay_min);
        if self.watermark_ms.is_none_or(|watermark_ms| watermark_ms < window.end_ms) {
            return Ok(None);
        }
        let kept = self.state.windows.get_mut(&window).expect("the record was added to it");
        kept.has_fired = true;
        let kept = kept.by_key.get_mut(key).expect("the record was added to it");
        Ok(Some(kept.give_out(window, key)))
    }

    /// The watermark has come to here: fires what has ended, in the order of
    /// [`WindowState::fire`], and then forgets every window that is gone. A watermark that is not
    /// ahead of the last one changes nothing.
    pub fn on_watermark(&mut self, watermark_ms: i64) -> Vec<WindowResult> {
        use crate::dropped::is_gone;

        if Some(watermark_ms) <= self.watermark_ms {
            return Vec::new();
        }
        self.watermark_ms = Some(watermark_ms);
        let results = self.state.fire(watermark_ms);
        while let Some(first) = self.state.windows.first_entry()
            && is_gone(*first.key(), self.allowed_lateness, Some(watermark_ms))
        {
            first.remove();
        }
        results
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
