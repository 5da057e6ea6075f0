//! title: The commit holds the thread
//! file: job.rs
//! caught by: step6_job::a_wait_for_the_brokers_answer_lets_others_run
//!
//! `commit` stands in an `async fn`, so it looks as if it let others run. It is no future: it waits for the
//! broker with the thread of the runtime. Ctrl-C, a timer and the other tasks of that thread wait with it.

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
            .commit(&offsets, CommitMode::Sync)
            .map_err(|source| JobError::NotCommitted { written, source })
    }
}
