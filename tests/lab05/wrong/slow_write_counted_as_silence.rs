//! title: The clock goes on while a batch is written
//! file: job.rs
//! caught by: step8_job::a_job_that_waits_for_its_database_does_not_hear_silence
//!
//! The clock of a slow database is the clock on the wall. Behind a write that took longer than `idle_after` all
//! partitions are idle, though each has a thousand records that nobody has looked at.

impl Work {
    pub async fn write(&mut self, batch: Vec<Row>) -> Result<(), JobError> {
        let (mut results, mut dropped) = (Vec::new(), Vec::new());
        for row in batch {
            match row {
                Row::Result(result) => results.push(result),
                Row::Dropped(record) => dropped.push(record),
            }
        }
        crate::tables::write(&mut self.database, &self.topic, &results, &dropped).await?;
        self.written.results += results.len() as u64;
        self.written.dropped += dropped.len() as u64;
        Ok(())
    }
}
