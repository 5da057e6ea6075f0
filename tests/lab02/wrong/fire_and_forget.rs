//! title: The reports are not waited for at the end
//! file: in_flight.rs
//! caught by: step3_in_flight::closing_waits_for_every_report
//!
//! Every `send` said yes, so the records are sent. They are in a queue of this process, and the
//! process ends. Among the questions about Kafka's clients this is one of the oldest.

impl Publisher {
    pub async fn close(self) -> Published {
        Published { delivered: self.delivered, not_delivered: self.not_delivered }
    }
}
