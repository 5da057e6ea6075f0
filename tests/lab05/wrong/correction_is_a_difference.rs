//! title: A correction is what has been added
//! file: corrections.rs
//! caught by: step5_corrections::a_correction_replaces_the_result_before_it
//!
//! Whoever thinks of a running total sends the difference. A sink that replaces, so that a repeat does no
//! harm, then shows the last flight as if it were all of them; and a sink that adds counts a repeat twice.

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
        kept.has_fired = true;
        let kept = kept.by_key.get_mut(key).expect("the record was added to it");
        let mut result = kept.give_out(window, key);
        result.delays = crate::delays::Delays::default();
        result.delays.add(delay_min);
        Ok(Some(result))
    }
}
