//! title: The lag is one short
//! file: lag.rs
//! caught by: step5_lag::the_lag_is_the_end_less_the_committed_offset
//!
//! If the end were the last record and the committed offset the last processed one, both would be
//! off by one, and so it is mended where it does not need to be. Both are offsets of the record
//! to come next.

impl PartitionLag {
    pub fn lag(&self) -> i64 {
        (self.end - 1) - self.committed.unwrap_or(self.first)
    }
}
