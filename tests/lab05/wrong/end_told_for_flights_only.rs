//! title: The end of a partition is told behind a flight
//! file: job.rs
//! caught by: step8_job::behind_its_last_record_whatever_it_is_a_partition_has_ended
//!
//! What is no flight goes aside and is done with. If it was the last record of its partition, the board waits until
//! the client says that it is at the end. While somebody goes on writing, that word does not come.

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
                if self.input.read_to(partition, offset + 1) {
                    self.end_partition(partition).await?;
                }
            }
            None => self.put_aside(ReceivedRecord::of_message(message)).await?,
        }
        Ok(())
    }
}
