//! title: What comes behind the end is counted with the rest
//! file: job.rs
//! caught by: step8_job::a_record_behind_the_end_that_was_seen_at_the_start_is_not_taken
//!
//! A record is there, so it is taken. Which of the partitions is still read when it comes is a matter of luck, and
//! so then is the result of a run.

impl Work {
    pub async fn take(
        &mut self,
        message: &BorrowedMessage<'_>,
        clock: Duration,
    ) -> Result<(), JobError> {
        use crate::board::Arrival;
        use rdkafka::Message;

        let (partition, offset) = (message.partition(), message.offset());
        match flight_in(message) {
            Some((arrived_ms, flight)) => {
                let arrival = Arrival { partition, offset, arrived_ms, flight: &flight };
                let outcome = self.board.on_flight(arrival, clock);
                self.hold(outcome).await?;
            }
            None => self.put_aside(ReceivedRecord::of_message(message)).await?,
        }
        if self.input.read_to(partition, offset + 1) {
            self.end_partition(partition).await?;
        }
        Ok(())
    }
}
