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
        // A `DeliveryFuture` can be awaited by reference. Where is it while somebody awaits it, and
        // what if that somebody gives up?
        let _ = (&mut self.delivered, &mut self.not_delivered);
        todo!("step 3: await the oldest of {} in flight", self.in_flight.len())
    }

    /// Hands a record to the client. It waits, and so makes the caller wait, while the limit is in
    /// flight or the client's own queue is full. It does not wait for this record's report.
    ///
    /// # Errors
    /// [`NotTaken`], with the record, once a record before it was not delivered. Ask
    /// [`close`](Publisher::close) which one.
    pub async fn send(&mut self, record: Record) -> Result<(), NotTaken> {
        // Three things may stand in the way: the limit, a failure before, and the client's own queue
        // (`RDKafkaErrorCode::QueueFull`). Which of them pass, and what do they wait for?
        // `send_result` queues the record when it is called. Every other error it gives is final.
        // The queue may be full of somebody else's records, with none of yours in flight. Who makes
        // room, and can they while this loop runs?
        let _ = &self.producer;
        let Publisher { topic, limit, .. } = self;
        todo!("step 3: send key {} to {topic}, at most {limit} in flight", record.key_text())
    }

    /// Waits for the report of everything in flight and says what became of it all.
    pub async fn close(self) -> Published {
        // Who waits for the records that are still in flight if this does not?
        todo!("step 3: close with {} records in flight", self.in_flight.len())
    }
}
