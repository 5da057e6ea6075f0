//! title: The position is committed
//! file: progress.rs
//! caught by: step1_progress::what_is_polled_and_not_processed_is_not_committed
//!
//! The consumer knows its position, and `position()` is the first call that one finds. It says
//! what was polled. What is still in hand when the process dies is then lost: nobody reads it
//! again.

impl Progress {
    pub fn polled(&mut self, partition: i32, offset: i64) {
        let progress = self.partitions.entry(partition).or_default();
        progress.in_hand.insert(offset, false);
        progress.next = Some(offset + 1);
    }

    pub fn processed(&mut self, partition: i32, offset: i64) {
        if let Some(progress) = self.partitions.get_mut(&partition) {
            progress.in_hand.remove(&offset);
        }
    }
}
