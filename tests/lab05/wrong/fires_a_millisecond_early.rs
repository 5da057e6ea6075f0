//! title: A window fires a millisecond early
//! file: firing.rs
//! caught by: step3_firing::a_window_fires_when_the_watermark_reaches_its_end
//!
//! `maxTimestamp <= watermark` is right in Flink, whose watermark is inclusive and so a millisecond
//! smaller. Taken over with a watermark that is exclusive, a window fires while its last millisecond may
//! still come.

impl WindowState {
    pub fn fire(&mut self, watermark_ms: i64) -> Vec<WindowResult> {
        let mut results = Vec::new();
        let ended = self.windows.iter_mut().filter(|(window, _)| window.end_ms - 1 <= watermark_ms);
        for (window, kept) in ended.filter(|(_, kept)| !kept.has_fired) {
            kept.has_fired = true;
            for (key, kept) in &mut kept.by_key {
                results.push(kept.give_out(*window, key));
            }
        }
        results
    }
}
