//! title: Whether a record failed is asked once, before the wait for room
//! file: in_flight.rs
//! caught by: step3_in_flight::what_fails_while_room_is_awaited_is_known_before_the_next_record_is_taken
//!
//! The question stands where the function begins, and there it looks complete. But room comes when a record
//! before this one has its report, and that report may be a failure.

impl Publisher {
    pub async fn send(&mut self, record: Record) -> Result<(), NotTaken> {
        use std::time::Duration;

        use rdkafka::error::{KafkaError, RDKafkaErrorCode};

        const QUEUE_FULL: KafkaError = KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull);
        /// Between two looks for room in a queue that somebody else has filled.
        const PAUSE_WHEN_FULL: Duration = Duration::from_millis(5);

        while self.in_flight.len() >= self.limit.get() {
            self.await_oldest().await;
        }
        if !self.not_delivered.is_empty() {
            return Err(NotTaken { record: Box::new(record) });
        }
        loop {
            let refused = match self.producer.send_result(record.to_outgoing(&self.topic)) {
                Ok(report) => {
                    self.in_flight.push_back((record, report));
                    return Ok(());
                }
                Err((error, _)) => error,
            };
            if refused != QUEUE_FULL {
                self.not_delivered.push(NotDelivered::new(&self.topic, record, refused));
                return Ok(());
            }
            if self.in_flight.is_empty() {
                tokio::time::sleep(PAUSE_WHEN_FULL).await;
            }
            self.await_oldest().await;
        }
    }
}
