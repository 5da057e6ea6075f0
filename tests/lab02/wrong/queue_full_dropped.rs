//! title: What doesn't fit into the queue is dropped
//! file: in_flight.rs
//! caught by: step3_in_flight::a_full_queue_is_a_wait_and_no_loss
//!
//! The error of `send_result` is written to a log, if at all, and the loop goes on with the next
//! record. `QueueFull` doesn't mean that the record is lost: it means that nobody has taken it.

impl Publisher {
    pub async fn send(&mut self, record: Record) -> Result<(), NotTaken> {
        while self.in_flight.len() >= self.limit.get() {
            self.await_oldest().await;
        }
        if !self.not_delivered.is_empty() {
            return Err(NotTaken { record: Box::new(record) });
        }
        if let Ok(report) = self.producer.send_result(record.to_outgoing(&self.topic)) {
            self.in_flight.push_back((record, report));
        }
        Ok(())
    }
}
