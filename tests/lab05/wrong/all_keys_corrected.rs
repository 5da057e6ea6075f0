//! title: All keys of the window fire again
//! file: corrections.rs
//! caught by: step5_corrections::only_the_key_of_the_record_is_corrected
//!
//! The window has fired, a late record comes, so the window fires again: all of it, with the next
//! watermark. Results that have not changed get a new revision, and with a million keys each late record
//! writes a million rows.

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
        let all = kept.by_key.iter_mut().map(|(key, kept)| kept.give_out(window, key));
        Ok(all.collect::<Vec<_>>().into_iter().find(|result| result.key == key))
    }
}
