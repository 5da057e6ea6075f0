//! title: The wait for room is given up
//! file: in_flight.rs
//! caught by: step3_in_flight::a_wait_for_room_has_no_limit_of_its_own
//!
//! No wait should be without an end, so a hundred looks must do. But this wait has one: the records in the
//! queue are given up in time, and then there is room. Half a second is less than a broker's restart.

impl Publisher {
    pub async fn send(&mut self, record: Record) -> Result<(), NotTaken> {
        use std::time::Duration;

        use rdkafka::error::{KafkaError, RDKafkaErrorCode};

        const QUEUE_FULL: KafkaError = KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull);
        /// Between two looks for room in a queue that somebody else has filled.
        const PAUSE_WHEN_FULL: Duration = Duration::from_millis(5);
        const MAX_LOOKS: u32 = 100;

        while self.in_flight.len() >= self.limit.get() {
            self.await_oldest().await;
        }
        let mut looks = 0;
        loop {
            if !self.not_delivered.is_empty() {
                return Err(NotTaken { record: Box::new(record) });
            }
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
            looks += 1;
            if looks == MAX_LOOKS {
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
