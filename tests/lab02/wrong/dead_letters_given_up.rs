//! title: Dead letters are counted as given up
//! file: job.rs
//! caught by: step6_job::of_a_revoked_partition_nothing_is_left
//!
//! Everything that is held of the partition goes, so everything is counted. The dead letter was counted when
//! it was written, and the sum of the parts is now larger than what was read.

impl Work {
    pub fn follow_rebalances(&mut self) -> Result<(), JobError> {
        use crate::group::Change;

        for change in self.rebalances.take() {
            match change {
                Change::Assigned(partitions) => {
                    self.at_end.extend(partitions.into_iter().map(|partition| (partition, false)));
                }
                Change::Revoked(partitions) => {
                    let is_gone = |read: &Read| partitions.contains(&read.place().partition);
                    let given_up = &mut self.progress.summary.given_up;
                    self.held.retain(|read| {
                        *given_up += u64::from(is_gone(read));
                        !is_gone(read)
                    });
                    self.at_end.retain(|partition, _| !partitions.contains(partition));
                    self.progress.next_offsets.retain(|p, _| !partitions.contains(p));
                }
                Change::Failed(reason) => return Err(JobError::Rebalance { reason }),
            }
        }
        Ok(())
    }
}
