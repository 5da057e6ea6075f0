//! title: Only the first window fires
//! file: firing.rs
//! caught by: step3_firing::one_watermark_may_fire_many_windows
//!
//! In a steady stream one window ends at a time. After a quiet night, or when an idle partition is left
//! out, the watermark passes several ends at once; the others then wait for a watermark that moves again.

impl WindowState {
    pub fn fire(&mut self, watermark_ms: i64) -> Vec<WindowResult> {
        let mut results = Vec::new();
        let first = self.windows.iter_mut().find(|(_, kept)| !kept.has_fired);
        if let Some((window, kept)) = first.filter(|(window, _)| window.end_ms <= watermark_ms) {
            kept.has_fired = true;
            for (key, kept) in &mut kept.by_key {
                results.push(kept.give_out(*window, key));
            }
        }
        results
    }
}
