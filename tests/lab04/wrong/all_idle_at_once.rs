//! title: All that are silent by now become idle together
//! file: idle.rs
//! caught by: step5_idle::partitions_become_idle_in_the_order_in_which_they_fell_silent
//!
//! It is the same if somebody looks at the clock all the time. If the reader was busy for a while,
//! all partitions are silent when it looks again, and the moment at which two of them waited only
//! for the third is gone.

impl CombinedWatermark {
    pub fn on_time(&mut self, clock: Duration) {
        let Some(idle_after) = self.idle_after else { return };
        for (partition, heard) in &self.heard {
            if clock.saturating_sub(*heard) >= idle_after {
                self.idle.insert(*partition);
            }
        }
        self.advance();
    }
}
