//! title: Only results are written
//! file: job.rs
//! caught by: step8_job::the_storm_week_on_one_partition_is_flinks
//!
//! The board counts what it drops, and the line at the end shows the number. Which records they were,
//! nobody can say: what the table misses cannot be told from what was lost.

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
        crate::tables::write(&mut self.database, &self.topic, &results, &[]).await?;
        self.written.results += results.len() as u64;
        self.written.dropped += dropped.len() as u64;
        self.not_reading += began.elapsed();
        Ok(())
    }
}
