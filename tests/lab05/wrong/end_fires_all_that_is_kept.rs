//! title: The end fires all that is kept
//! file: corrections.rs
//! caught by: step5_corrections::the_final_watermark_fires_what_has_not_fired_and_keeps_nothing
//!
//! At the end everything must out, so everything that is kept is given out. With allowed lateness some of
//! it has been said long ago: it comes a second time, with a new revision and the same figures.

impl Aggregation {
    pub fn on_watermark(&mut self, watermark_ms: i64) -> Vec<WindowResult> {
        if watermark_ms == lab04::watermark::FINAL_WATERMARK_MS {
            self.state.windows.values_mut().for_each(|kept| kept.has_fired = false);
        }
        if Some(watermark_ms) <= self.watermark_ms {
            return Vec::new();
        }
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
