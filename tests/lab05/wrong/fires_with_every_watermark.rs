//! title: A window fires with every watermark
//! file: firing.rs
//! caught by: step3_firing::a_window_fires_once
//!
//! The watermark moves with nearly every record. Without a note that it has fired, a window that is kept
//! for corrections gives its result again and again: the table is right, and the sink is drowned.

impl WindowState {
    pub fn fire(&mut self, watermark_ms: i64) -> Vec<WindowResult> {
        let mut results = Vec::new();
        let ended = self.windows.iter_mut().filter(|(window, _)| window.end_ms <= watermark_ms);
        for (window, kept) in ended {
            kept.has_fired = true;
            for (key, kept) in &mut kept.by_key {
                results.push(kept.give_out(*window, key));
            }
        }
        results
    }
}
