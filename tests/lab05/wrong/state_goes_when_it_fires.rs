//! title: State goes when the window fires
//! file: corrections.rs
//! caught by: step5_corrections::state_goes_when_nothing_may_change_it_any_more
//!
//! The purge forgets the allowed lateness. A record that is still admitted finds an empty window and gives
//! "revision 1" of one flight, which replaces the whole hour.

impl Aggregation {
    pub fn on_watermark(&mut self, watermark_ms: i64) -> Vec<WindowResult> {
        if Some(watermark_ms) <= self.watermark_ms {
            return Vec::new();
        }
        self.watermark_ms = Some(watermark_ms);
        let results = self.state.fire(watermark_ms);
        self.state.windows.retain(|window, _| window.end_ms > watermark_ms);
        results
    }
}
