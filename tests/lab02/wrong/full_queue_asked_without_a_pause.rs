//! title: A full queue is asked again and again
//! file: in_flight.rs
//! caught by: step3_in_flight::a_full_queue_lets_others_run
//!
//! Where the queue is full, `await_oldest` waits for room. Where nothing is in flight it returns at
//! once, and the loop turns as fast as it can. It never gives its thread away, so on a runtime of
//! one thread nobody else runs.

impl Publisher {
    pub async fn send(&mut self, record: Record) -> Result<(), NotTaken> {
        use rdkafka::error::{KafkaError, RDKafkaErrorCode};

        while self.in_flight.len() >= self.limit.get() {
            self.await_oldest().await;
        }
        loop {
            if !self.not_delivered.is_empty() {
                return Err(NotTaken { record: Box::new(record) });
            }
            match self.producer.send_result(record.to_outgoing(&self.topic)) {
                Ok(report) => {
                    self.in_flight.push_back((record, report));
                    return Ok(());
                }
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                    self.await_oldest().await;
                }
                Err((error, _)) => {
                    self.not_delivered.push(NotDelivered::new(&self.topic, record, error));
                    return Ok(());
                }
            }
        }
    }
}
