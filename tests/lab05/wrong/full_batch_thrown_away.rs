//! title: The batch that comes out when it is full is thrown away
//! file: job.rs
//! caught by: step8_job::the_storm_week_on_one_partition_is_flinks
//!
//! `push` adds a row, so it seems. A small test never fills a batch.

impl Work {
    pub async fn hold(&mut self, outcome: Outcome) -> Result<(), JobError> {
        let results = outcome.results.into_iter().map(Row::Result);
        for row in results.chain(outcome.dropped.map(Row::Dropped)) {
            let _ = self.held.push(row, Instant::now());
        }
        Ok(())
    }
}
