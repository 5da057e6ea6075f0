//! title: Idle partitions are noted, and nothing fires
//! file: board.rs
//! caught by: step6_board::when_a_partition_becomes_idle_what_waited_for_it_fires
//!
//! Windows fire when a record comes: so it is in every other function. The night is the time when
//! partitions become idle, and the last windows of the day are told in the morning.

impl Board {
    pub fn on_time(&mut self, clock: Duration) -> Vec<WindowResult> {
        self.watermark.on_time(clock);
        Vec::new()
    }
}
