//! title: A watermark that goes back is believed
//! file: corrections.rs
//! caught by: step5_corrections::a_watermark_that_is_not_ahead_changes_nothing
//!
//! The watermark of lab 04 never goes back, so why look? Because it comes from outside: after a restart,
//! or from another reader. A window that was gone is then open again, and counts from nothing.

impl Aggregation {
    pub fn on_watermark(&mut self, watermark_ms: i64) -> Vec<WindowResult> {
        self.watermark_ms = Some(watermark_ms);
        let results = self.state.fire(watermark_ms);
        while let Some(first) = self.state.windows.first_entry()
            && crate::dropped::is_gone(*first.key(), self.allowed_lateness, Some(watermark_ms))
        {
            first.remove();
        }
        results
    }
}
