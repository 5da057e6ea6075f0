//! title: A dropped record opens its window again
//! file: corrections.rs
//! caught by: step5_corrections::a_dropped_record_changes_nothing
//!
//! The record goes into its window first, and whether it may is asked afterwards. It is told as dropped,
//! and a window that was long gone is there again: it fires once more and writes one flight over all of
//! that hour.

impl Aggregation {
    pub fn on_record(
        &mut self,
        timestamp_ms: i64,
        key: &str,
        delay_min: i32,
    ) -> Result<Option<WindowResult>, DropReason> {
        let window = self.windows.window_of(timestamp_ms)?;
        self.state.add(window, key, delay_min);
        crate::dropped::admit(timestamp_ms, window, self.allowed_lateness, self.watermark_ms)?;
        if self.watermark_ms.is_none_or(|watermark_ms| watermark_ms < window.end_ms) {
            return Ok(None);
        }
        let kept = self.state.windows.get_mut(&window).expect("the record was added to it");
        kept.has_fired = true;
        let kept = kept.by_key.get_mut(key).expect("the record was added to it");
        Ok(Some(kept.give_out(window, key)))
    }
}
