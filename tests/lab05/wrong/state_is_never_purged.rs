//! title: State is never purged
//! file: corrections.rs
//! caught by: step5_corrections::state_goes_when_nothing_may_change_it_any_more
//!
//! Every result is right and every test of results is green. The memory grows with every hour, and the
//! job is killed on the ninth day.

impl Aggregation {
    pub fn on_watermark(&mut self, watermark_ms: i64) -> Vec<WindowResult> {
        if Some(watermark_ms) <= self.watermark_ms {
            return Vec::new();
        }
        self.watermark_ms = Some(watermark_ms);
        self.state.fire(watermark_ms)
    }
}
