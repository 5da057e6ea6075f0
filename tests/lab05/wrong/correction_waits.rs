//! title: A correction waits for the next watermark
//! file: corrections.rs
//! caught by: step5_corrections::a_record_within_the_allowed_lateness_corrects_its_result_at_once
//!
//! The record is put into its window and the rest is left to the next watermark. But that one looks only
//! at windows that have not fired, so the correction never comes: the board stays wrong, and every count
//! says that nothing was lost.

impl Aggregation {
    pub fn on_record(
        &mut self,
        timestamp_ms: i64,
        key: &str,
        delay_min: i32,
    ) -> Result<Option<WindowResult>, DropReason> {
        let window = self.windows.window_of(timestamp_ms)?;
        crate::dropped::admit(timestamp_ms, window, self.allowed_lateness, self.watermark_ms)?;
        self.state.add(window, key, delay_min);
        Ok(None)
    }
}
