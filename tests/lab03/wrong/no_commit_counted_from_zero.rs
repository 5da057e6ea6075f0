//! title: No commit is counted as offset 0
//! file: lag.rs
//! caught by: step5_lag::without_a_commit_the_lag_is_all_that_the_log_holds
//!
//! A group that has committed nothing stands at the beginning, and the beginning is 0. Until
//! something is deleted; then the lag counts records that nobody can read any more.

impl PartitionLag {
    pub fn lag(&self) -> i64 {
        self.end - self.committed.unwrap_or(0)
    }
}
