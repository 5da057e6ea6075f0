//! title: The job's commit does not wait for the answer
//! file: job.rs
//! caught by: step7_job::a_group_in_use_takes_no_commit_of_the_job
//!
//! An asynchronous commit makes the loop faster, and most of the time it succeeds. When it does
//! not, nobody hears of it: the rows are written, the offsets stay, and the job looks healthy.

impl Effects for KafkaToTable {
    async fn commit(&mut self, next: &Offsets) -> Result<(), JobError> {
        use crate::broker::partition_list;
        use rdkafka::consumer::{CommitMode, Consumer};

        let failed = |source| JobError::Kafka { topic: self.topic.clone(), source };
        let list = partition_list(&self.topic, next).map_err(failed)?;
        self.consumer.commit(&list, CommitMode::Async).map_err(failed)
    }
}
