//! title: A window fires only when the watermark is past its end
//! file: firing.rs
//! caught by: step3_firing::a_window_fires_when_the_watermark_reaches_its_end
//!
//! `<` for `<=`. The watermark is exclusive, so at 07:00 all before 07:00 has been seen and nothing is
//! left to wait for. Slots are whole minutes: the wait is not a millisecond but until the next slot.

impl WindowState {
    pub fn fire(&mut self, watermark_ms: i64) -> Vec<WindowResult> {
        let mut results = Vec::new();
        let ended = self.windows.iter_mut().filter(|(window, _)| window.end_ms < watermark_ms);
        for (window, kept) in ended.filter(|(_, kept)| !kept.has_fired) {
            kept.has_fired = true;
            for (key, kept) in &mut kept.by_key {
                results.push(kept.give_out(*window, key));
            }
        }
        results
    }
}
