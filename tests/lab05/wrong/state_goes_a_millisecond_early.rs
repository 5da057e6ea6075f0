//! title: State goes a millisecond early
//! file: corrections.rs
//! caught by: step5_corrections::the_last_moment_for_a_correction_is_one_millisecond_before_the_window_is_gone
//!
//! Two rules of one limit, written twice: the record is admitted by one, the state is gone by the other.
//! In between lies a millisecond in which a correction starts from nothing.

impl Aggregation {
    pub fn on_watermark(&mut self, watermark_ms: i64) -> Vec<WindowResult> {
        if Some(watermark_ms) <= self.watermark_ms {
            return Vec::new();
        }
        self.watermark_ms = Some(watermark_ms);
        let results = self.state.fire(watermark_ms);
        let lateness_ms = lab04::span::millis(self.allowed_lateness);
        let is_kept = |window: &crate::window::Window| {
            window.end_ms.saturating_add(lateness_ms) > watermark_ms.saturating_add(1)
        };
        self.state.windows.retain(|window, _| is_kept(window));
        results
    }
}
