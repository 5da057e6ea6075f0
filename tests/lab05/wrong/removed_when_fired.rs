//! title: A window is removed when it fires
//! file: firing.rs
//! caught by: step3_firing::a_window_that_has_fired_stays
//!
//! What has been said need not be kept: so it is in the first examples that one reads. With allowed
//! lateness it is wrong. The next record opens the window again, and its "correction" is a result of one
//! flight.

impl WindowState {
    pub fn fire(&mut self, watermark_ms: i64) -> Vec<WindowResult> {
        let mut results = Vec::new();
        while let Some(first) = self.windows.first_entry()
            && first.key().end_ms <= watermark_ms
        {
            let (window, mut kept) = first.remove_entry();
            for (key, kept) in &mut kept.by_key {
                results.push(kept.give_out(window, key));
            }
        }
        results
    }
}
