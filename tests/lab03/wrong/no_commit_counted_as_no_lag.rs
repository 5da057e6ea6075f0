//! title: No commit is counted as no lag
//! file: lag.rs
//! caught by: step5_lag::without_a_commit_the_lag_is_all_that_the_log_holds
//!
//! There is nothing to subtract from, so the lag is 0. The alarm stays silent for just the group
//! that never got going.

impl PartitionLag {
    pub fn lag(&self) -> i64 {
        self.committed.map_or(0, |committed| self.end - committed)
    }
}
