//! title: A revoked partition is committed all the same
//! file: progress.rs
//! caught by: step1_progress::a_revoked_partition_is_not_committed
//!
//! The records were processed, so it seems right to say so. But the partition has a new owner,
//! who may be far ahead: the late commit sets its offset back, or is refused.

impl Progress {
    pub fn revoked(&mut self, partition: i32) {
        let _ = partition;
    }
}
