//! title: A job waits for the end of a partition that is no longer its own
//! file: job.rs
//! caught by: step6_job::of_a_revoked_partition_nothing_is_left
//!
//! What is held is given up, and that seems to be all. But a job that is to end when it has caught up waits
//! for the ends of its partitions, and nobody will ever tell it the end of this one.

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
                    let flights = |read: &Read| matches!(read, Read::Flight(_));
                    let given_up = &mut self.progress.summary.given_up;
                    self.held.retain(|read| {
                        *given_up += u64::from(is_gone(read) && flights(read));
                        !is_gone(read)
                    });
                    self.progress.next_offsets.retain(|p, _| !partitions.contains(p));
                }
                Change::Failed(reason) => return Err(JobError::Rebalance { reason }),
            }
        }
        Ok(())
    }
}
