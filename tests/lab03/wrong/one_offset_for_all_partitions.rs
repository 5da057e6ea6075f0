//! title: One offset is kept for all partitions
//! file: progress.rs
//! caught by: step1_progress::each_partition_has_an_offset_of_its_own
//!
//! With one partition it works, and the first tests have one partition. Offsets of two partitions
//! have nothing to do with each other: the smaller one is read again from far behind, or the
//! larger one jumps ahead.

impl Progress {
    pub fn to_commit(&self) -> Offsets {
        let furthest = self.partitions.values().filter_map(|progress| progress.next).max();
        let Some(furthest) = furthest else { return Offsets::new() };
        self.partitions.keys().map(|partition| (*partition, furthest)).collect()
    }
}
