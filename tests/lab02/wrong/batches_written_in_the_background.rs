//! title: Batches are written in the background
//! file: job.rs
//! caught by: step6_job::a_slow_database_stops_the_reading
//!
//! The database is slow, so the writing goes into a task and the reading goes on. Now nothing slows
//! the reading down: as long as the database is behind, memory grows by the speed of the topic.

impl Work {
    pub async fn write_and_commit(&mut self, batch: Vec<Read>) -> Result<(), JobError> {
        let config = self.config.database.clone();
        self.progress.summary.written +=
            batch.iter().filter(|read| read.flight().is_some()).count() as u64;
        tokio::spawn(async move {
            let database = table::connect(&config).await.expect("the database takes connections");
            let flights: Vec<&ReadFlight> = batch.iter().filter_map(Read::flight).collect();
            write_flights(&database, &flights).await.expect("the rows are written");
        });
        Ok(())
    }
}
