//! title: The next offset is the next number
//! file: progress.rs
//! caught by: step1_progress::offsets_are_not_a_count
//!
//! Offsets look like an index, so the record behind 42 must be 43. Markers of transactions and
//! compaction leave gaps; whoever waits for 43 waits for ever, and commits nothing any more.

impl Progress {
    pub fn processed(&mut self, partition: i32, offset: i64) {
        let Some(progress) = self.partitions.get_mut(&partition) else { return };
        let Some(is_processed) = progress.in_hand.get_mut(&offset) else { return };
        *is_processed = true;
        let first = progress.in_hand.first_key_value().map_or(offset, |(first, _)| *first);
        let mut next = progress.next.unwrap_or(first);
        while progress.in_hand.get(&next) == Some(&true) {
            progress.in_hand.remove(&next);
            next += 1;
            progress.next = Some(next);
        }
    }
}
