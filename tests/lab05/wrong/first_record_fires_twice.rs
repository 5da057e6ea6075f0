//! title: The first record of an ended window fires twice
//! file: corrections.rs
//! caught by: step5_corrections::the_first_record_of_a_window_that_has_ended_fires_at_once
//!
//! The result comes at once, as it should, but the window does not note that it has fired. The next
//! watermark finds a window that has ended and has not fired.

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
        if self.watermark_ms.is_none_or(|watermark_ms| watermark_ms < window.end_ms) {
            return Ok(None);
        }
        let kept = self.state.windows.get_mut(&window).expect("the record was added to it");
        let kept = kept.by_key.get_mut(key).expect("the record was added to it");
        Ok(Some(kept.give_out(window, key)))
    }
}
