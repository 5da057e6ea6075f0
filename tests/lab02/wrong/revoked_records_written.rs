//! title: What is taken away is written all the same
//! file: job.rs
//! caught by: step6_job::what_is_taken_away_is_given_up
//!
//! The job has read the records, so it writes them. They were not committed when their partition
//! went, so the next owner reads them too, and both write them.

impl Work {
    pub fn follow_rebalances(&mut self) -> Result<(), JobError> {
        use crate::group::Change;

        for change in self.rebalances.take() {
            match change {
                Change::Assigned(partitions) => {
                    self.at_end.extend(partitions.into_iter().map(|partition| (partition, false)));
                }
                Change::Revoked(partitions) => {
                    self.at_end.retain(|partition, _| !partitions.contains(partition));
                }
                Change::Failed(reason) => return Err(JobError::Rebalance { reason }),
            }
        }
        Ok(())
    }
}
