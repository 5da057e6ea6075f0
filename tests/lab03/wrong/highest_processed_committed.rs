//! title: The highest processed offset is committed
//! file: progress.rs
//! caught by: step1_progress::a_record_in_hand_holds_back_those_behind_it
//!
//! Records are processed by several tasks, and each commits when it is done. Whoever is done
//! first with a late record commits everything before it, done or not.

impl Progress {
    pub fn processed(&mut self, partition: i32, offset: i64) {
        let Some(progress) = self.partitions.get_mut(&partition) else { return };
        if progress.in_hand.remove(&offset).is_some() {
            progress.next = progress.next.max(Some(offset + 1));
        }
    }
}
