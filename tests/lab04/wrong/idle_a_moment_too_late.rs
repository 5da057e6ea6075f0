//! title: Exactly at the time-out a partition is not idle yet
//! file: idle.rs
//! caught by: step5_idle::a_partition_is_idle_when_it_was_silent_for_so_long
//!
//! `>` for `>=`. Nobody would see it in a running job. In a lab where every boundary is a rule, it
//! is one.

impl CombinedWatermark {
    pub fn on_time(&mut self, clock: Duration) {
        let Some(idle_after) = self.idle_after else { return };
        let mut silent: Vec<(Duration, i32)> = self
            .heard
            .iter()
            .filter(|(partition, _)| !self.idle.contains(partition))
            .filter(|(_, heard)| clock.saturating_sub(**heard) > idle_after)
            .map(|(partition, heard)| (*heard, *partition))
            .collect();
        silent.sort_unstable();
        for at_once in silent.chunk_by(|one, next| one.0 == next.0) {
            self.idle.extend(at_once.iter().map(|(_, partition)| *partition));
            self.advance();
        }
    }
}
