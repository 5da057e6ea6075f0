//! title: Nothing bounds what is in flight
//! file: in_flight.rs
//! caught by: step3_in_flight::no_more_than_the_limit_is_in_flight
//!
//! The client has a queue of its own, so it will see to it. By default that queue takes 100,000
//! records or a gigabyte, and a list of reports beside it grows with it.

impl Publisher {
    pub async fn send(&mut self, record: Record) -> Result<(), NotTaken> {
        use rdkafka::error::{KafkaError, RDKafkaErrorCode};

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
