//! title: Nobody waits for the answer to a commit
//! file: job.rs
//! caught by: step6_job::rows_without_their_commit_are_told
//!
//! `CommitMode::Async` blocks no thread, and its result is looked at. It only says that the question was
//! sent. A commit that the broker refuses is told to nobody, and each restart begins at the old place.

impl Work {
    pub async fn write_and_commit(&mut self, batch: Vec<Read>) -> Result<(), JobError> {
        use rdkafka::consumer::CommitMode;
        use rdkafka::{Offset, TopicPartitionList};

        let flights: Vec<&ReadFlight> = batch.iter().filter_map(Read::flight).collect();
        write_flights(&self.database, &flights).await?;
        let written = flights.len();
        self.progress.summary.written += written as u64;

        let next: BTreeMap<i32, i64> =
            batch.iter().map(|read| (read.place().partition, read.place().offset + 1)).collect();
        let mut offsets = TopicPartitionList::new();
        for (partition, offset) in next {
            offsets.add_partition_offset(&self.config.topic, partition, Offset::Offset(offset))?;
        }
        if offsets.count() == 0 {
            return Ok(());
        }
        self.consumer
            .commit(&offsets, CommitMode::Async)
            .map_err(|source| JobError::NotCommitted { written, source })
    }
}
