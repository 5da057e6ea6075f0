//! title: Partitions that fell silent together are taken one by one
//! file: idle.rs
//! caught by: step5_idle::where_all_are_idle_the_watermark_stays
//!
//! Sorted by when they were heard, and then declared idle one after the other: right for all that fell silent
//! one after the other. Of two that were heard at the same moment the second decides alone, and which one is
//! the second is a matter of its number.

impl CombinedWatermark {
    pub fn on_time(&mut self, clock: Duration) {
        let Some(idle_after) = self.idle_after else { return };
        let mut silent: Vec<(Duration, i32)> = self
            .heard
            .iter()
            .filter(|(partition, _)| !self.idle.contains(partition))
            .filter(|(_, heard)| clock.saturating_sub(**heard) >= idle_after)
            .map(|(partition, heard)| (*heard, *partition))
            .collect();
        silent.sort_unstable();
        for (_, partition) in silent {
            self.idle.insert(partition);
            self.advance();
        }
    }
}
