//! title: A poison pill is passed over
//! file: job.rs
//! caught by: step8_job::what_is_no_flight_is_a_dead_letter_and_the_job_goes_on
//!
//! The loop goes on, and that was the point. But nobody will ever know that there was a record.

impl Work {
    pub async fn take(
        &mut self,
        message: &BorrowedMessage<'_>,
        clock: Duration,
    ) -> Result<(), JobError> {
        use crate::board::Arrival;
        use rdkafka::Message;

        let (partition, offset) = (message.partition(), message.offset());
        if !self.input.contains(partition, offset) {
            return Ok(());
        }
        match flight_in(message) {
            Some((arrived_ms, flight)) => {
                let arrival = Arrival { partition, offset, arrived_ms, flight: &flight };
                let outcome = self.board.on_flight(arrival, clock);
                self.hold(outcome).await?;
            }
            None => {}
        }
        if self.input.read_to(partition, offset + 1) {
            self.end_partition(partition).await?;
        }
        Ok(())
    }
}
