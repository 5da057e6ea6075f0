//! title: A batch without a row is not committed
//! file: job.rs
//! caught by: step6_job::dead_letters_alone_are_committed_too
//!
//! Nothing to write, so nothing to do. The next job reads the same poison pills, and the topic of
//! the dead letters gets them again at each start.

impl Work {
    pub async fn write_and_commit(&mut self, batch: Vec<Read>) -> Result<(), JobError> {
        use rdkafka::consumer::CommitMode;
        use rdkafka::{Offset, TopicPartitionList};

        let flights: Vec<&ReadFlight> = batch.iter().filter_map(Read::flight).collect();
        if flights.is_empty() {
            return Ok(());
        }
        write_flights(&self.database, &flights).await?;
        self.progress.summary.written += flights.len() as u64;
        let next: BTreeMap<i32, i64> =
            batch.iter().map(|read| (read.place().partition, read.place().offset + 1)).collect();
        let mut offsets = TopicPartitionList::new();
        for (partition, offset) in next {
            offsets.add_partition_offset(&self.config.topic, partition, Offset::Offset(offset))?;
        }
        self.consumer.commit(&offsets, CommitMode::Sync)?;
        Ok(())
    }
}
