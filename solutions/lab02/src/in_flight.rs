//! Step 3: many records in flight, but never more than so many.

use std::collections::VecDeque;
use std::num::NonZeroUsize;

use rdkafka::producer::FutureProducer;
use rdkafka::producer::future_producer::DeliveryFuture;
use thiserror::Error;

use crate::producer::NotDelivered;
use crate::record::Record;

// ANCHOR: publisher
/// Sends records to one topic without waiting for each, in order, and accounts for all of them.
///
/// Its memory is bounded: by the limit in flight, and because it takes no further record once it
/// knows of one that was not delivered. Those in flight behind that one may still be delivered.
pub struct Publisher {
    producer: FutureProducer,
    topic: String,
    limit: NonZeroUsize,
    /// The records that wait for their report, the oldest first. They are kept: what the client
    /// gives back with a failure has no timestamp any more.
    in_flight: VecDeque<(Record, DeliveryFuture)>,
    delivered: u64,
    not_delivered: Vec<NotDelivered>,
}

/// What became of the records that a [`Publisher`] took. Together they are all of them.
#[derive(Debug, Default, PartialEq)]
pub struct Published {
    /// The broker has so many.
    pub delivered: u64,
    /// It did not give its word for these.
    pub not_delivered: Vec<NotDelivered>,
}

/// A record that was not taken, because one before it was not delivered.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("record with key {} was not sent: one before it was not delivered", record.key_text())]
pub struct NotTaken {
    /// The record.
    pub record: Box<Record>,
}
// ANCHOR_END: publisher

impl Publisher {
    /// A publisher that has at most `limit` records in flight.
    pub fn new(producer: FutureProducer, topic: &str, limit: NonZeroUsize) -> Publisher {
        Publisher {
            producer,
            topic: topic.to_owned(),
            limit,
            in_flight: VecDeque::new(),
            delivered: 0,
            not_delivered: Vec::new(),
        }
    }

    /// How many records wait for their report.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Waits for the report of the oldest record in flight and counts it; returns at once where
    /// none is in flight. A call that is dropped while it waits loses count of nothing.
    pub async fn await_oldest(&mut self) {
        let Some((_, report)) = self.in_flight.front_mut() else { return };
        // It stays in the list until its answer is here.
        let answer = report.await.expect("the producer lives as long as this publisher");
        let Some((record, _)) = self.in_flight.pop_front() else { return };
        match answer {
            Ok(_) => self.delivered += 1,
            Err((error, _)) => {
                self.not_delivered.push(NotDelivered::new(&self.topic, record, error));
            }
        }
    }

    /// Hands a record to the client. It waits, and so makes the caller wait, while the limit is in
    /// flight or the client's own queue is full. It does not wait for this record's report.
    ///
    /// # Errors
    /// [`NotTaken`], with the record, once a record before it was not delivered. Ask
    /// [`close`](Publisher::close) which one.
    pub async fn send(&mut self, record: Record) -> Result<(), NotTaken> {
        use std::time::Duration;

        use rdkafka::error::{KafkaError, RDKafkaErrorCode};

        const QUEUE_FULL: KafkaError = KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull);
        /// Between two looks for room in a queue that somebody else has filled.
        const PAUSE_WHEN_FULL: Duration = Duration::from_millis(5);

        while self.in_flight.len() >= self.limit.get() {
            self.await_oldest().await;
        }
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
            if self.in_flight.is_empty() {
                tokio::time::sleep(PAUSE_WHEN_FULL).await;
            }
            self.await_oldest().await;
        }
    }

    /// Waits for the report of everything in flight and says what became of it all.
    pub async fn close(self) -> Published {
        let mut publisher = self;
        while publisher.in_flight() > 0 {
            publisher.await_oldest().await;
        }
        Published { delivered: publisher.delivered, not_delivered: publisher.not_delivered }
    }
}
