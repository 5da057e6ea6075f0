//! title: What has changed in the tables is what was written
//! file: job.rs
//! caught by: step8_job::each_row_that_is_handed_over_counts_as_written
//!
//! `tables::write` gives two numbers, and they have the names of those that are wanted. They say what has changed. A
//! revision that another of its batch replaces has changed nothing, and is missing in the sum.

impl Work {
    pub async fn write(&mut self, batch: Vec<Row>) -> Result<(), JobError> {
        let began = Instant::now();
        let (mut results, mut dropped) = (Vec::new(), Vec::new());
        for row in batch {
            match row {
                Row::Result(result) => results.push(result),
                Row::Dropped(record) => dropped.push(record),
            }
        }
        let new = crate::tables::write(&mut self.database, &self.topic, &results, &dropped).await?;
        self.written.results += new.results;
        self.written.dropped += new.dropped;
        self.not_reading += began.elapsed();
        Ok(())
    }
}
