//! Step 4: publish, and know where each record is.

use flights::Flight;
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use thiserror::Error;

use crate::event::EventError;

// ANCHOR: delivery
/// Where the broker put one record. A delivery is the broker's word that it has the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The record's key.
    pub key: String,
    /// The partition that the key chose.
    pub partition: i32,
    /// The record's place in that partition.
    pub offset: i64,
}
// ANCHOR_END: delivery

/// Why not every flight was published. Others may be on the topic: those before the one that failed
/// and, where it was not delivered, those behind it too.
#[derive(Debug, Error)]
pub enum PublishError {
    /// A flight cannot be written as an event.
    #[error("flight {index}: {source}")]
    Event {
        /// The flight's place in the input, from 0.
        index: usize,
        /// What is wrong with it.
        source: EventError,
    },
    /// The broker did not take a record.
    #[error("flight {index} with key {key} was not delivered: {source}")]
    NotDelivered {
        /// The flight's place in the input, from 0.
        index: usize,
        /// The record's key.
        key: String,
        /// The client's reason.
        source: KafkaError,
    },
    /// The client could not be made.
    #[error("cannot make a producer: {0}")]
    Producer(#[from] KafkaError),
}

/// Publishes flights in the order in which they are given and returns one delivery for each, in
/// the same order. `on_delivery` is called once for each, in that order. No flight waits for the
/// delivery of another before it is sent.
///
/// The partitioner is `murmur2_random`, so that Kafka's own tools put each key on the same
/// partition. One request is in flight at a time, so that a retry cannot overtake; lab 02 has the
/// producer that keeps order at full speed.
///
/// # Errors
/// The first flight that could not be written or was not delivered. A record counts as not
/// delivered when no broker took it within [`broker_timeout`](crate::topic::broker_timeout).
pub async fn publish(
    kafka: &ClientConfig,
    topic: &str,
    flights: &[Flight],
    on_delivery: &mut dyn FnMut(&Delivery),
) -> Result<Vec<Delivery>, PublishError> {
    // Sending and being delivered are two moments. What happens to 6,000 flights if you wait for
    // each delivery before you send the next, and what if you never wait at all?
    // A Rust future does nothing until it is polled. Of the producer's two ways to send, which one
    // puts the record into the queue when it is called?
    // Which partitioner does librdkafka take if you do not name one, and which does Kafka?
    // How long does the client keep a record that no broker takes? See `message.timeout.ms`.
    let _ = (kafka, on_delivery);
    todo!("step 4: publish {} flights to {topic}", flights.len())
}
