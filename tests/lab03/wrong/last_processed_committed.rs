//! title: The offset of the last processed record is committed
//! file: progress.rs
//! caught by: step1_progress::the_offset_to_commit_is_one_behind_the_last_processed
//!
//! "I have processed 42, so I commit 42" sounds right, and client libraries differ in whether
//! they add the 1 for you. The committed offset is where reading goes on: record 42 is read again
//! after every restart, and the lag never comes down to 0.

impl Progress {
    pub fn processed(&mut self, partition: i32, offset: i64) {
        let Some(progress) = self.partitions.get_mut(&partition) else { return };
        let Some(is_processed) = progress.in_hand.get_mut(&offset) else { return };
        *is_processed = true;
        while let Some(first) = progress.in_hand.first_entry()
            && *first.get()
        {
            progress.next = Some(*first.key());
            first.remove();
        }
    }
}
