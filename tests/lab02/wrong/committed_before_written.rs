//! title: The offsets are committed before the rows are written
//! file: job.rs
//! caught by: step6_job::nothing_is_committed_that_is_not_written
//!
//! The records are read, so their place is noted, then comes the work. If the work fails, nobody
//! reads them again.

impl Work {
    pub async fn write_and_commit(&mut self, batch: Vec<Read>) -> Result<(), JobError> {
        use rdkafka::consumer::CommitMode;
        use rdkafka::{Offset, TopicPartitionList};

        let mut offsets = TopicPartitionList::new();
        for read in &batch {
            let place = read.place();
            let next = Offset::Offset(place.offset + 1);
            match offsets.find_partition(&place.topic, place.partition) {
                Some(mut partition) => partition.set_offset(next)?,
                None => offsets.add_partition_offset(&place.topic, place.partition, next)?,
            }
        }
        if !batch.is_empty() {
            self.consumer.commit(&offsets, CommitMode::Sync)?;
        }
        let flights: Vec<&ReadFlight> = batch.iter().filter_map(Read::flight).collect();
        write_flights(&self.database, &flights).await?;
        self.progress.summary.written += flights.len() as u64;
        Ok(())
    }
}
