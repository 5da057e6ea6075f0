//! title: The end of one partition is taken for the end of all
//! file: board.rs
//! caught by: step6_board::when_a_partition_is_read_to_its_end_what_waited_for_it_fires
//!
//! A partition is read to its end, so its windows are complete. But windows have no partition: what the
//! others still bring for them is then dropped.

impl Board {
    pub fn on_end_of(&mut self, partition: i32) -> Vec<WindowResult> {
        self.watermark.on_end_of(partition);
        self.on_end()
    }
}
