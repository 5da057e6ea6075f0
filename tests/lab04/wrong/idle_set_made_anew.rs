//! title: Who is idle is found out anew at each look
//! file: idle.rs
//! caught by: step5_idle::only_a_record_ends_an_idleness
//!
//! A set that is made of the clock each time cannot be out of date. But a partition that was read to its end is idle
//! for another reason, which the clock does not know.

impl CombinedWatermark {
    pub fn on_time(&mut self, clock: Duration) {
        let Some(idle_after) = self.idle_after else { return };
        let mut silent: Vec<(Duration, i32)> = self
            .heard
            .iter()
            .filter(|(_, heard)| clock.saturating_sub(**heard) >= idle_after)
            .map(|(partition, heard)| (*heard, *partition))
            .collect();
        silent.sort_unstable();
        self.idle.clear();
        for at_once in silent.chunk_by(|one, next| one.0 == next.0) {
            self.idle.extend(at_once.iter().map(|(_, partition)| *partition));
            self.advance();
        }
    }
}
