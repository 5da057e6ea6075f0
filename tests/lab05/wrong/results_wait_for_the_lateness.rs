//! title: Results wait for the allowed lateness
//! file: corrections.rs
//! caught by: step5_corrections::allowed_lateness_makes_no_result_wait
//!
//! The lateness is taken off the watermark, as if it were more of the bound. Then nothing is ever
//! corrected, because everything is told an hour later: the opposite of what the setting is for.

impl Aggregation {
    pub fn on_watermark(&mut self, watermark_ms: i64) -> Vec<WindowResult> {
        let lateness_ms = lab04::span::millis(self.allowed_lateness);
        if Some(watermark_ms) <= self.watermark_ms {
            return Vec::new();
        }
        self.watermark_ms = Some(watermark_ms);
        let results = self.state.fire(watermark_ms.saturating_sub(lateness_ms));
        self.state
            .windows
            .retain(|window, _| window.end_ms.saturating_add(lateness_ms) > watermark_ms);
        results
    }
}
