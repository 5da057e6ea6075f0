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
    use crate::record::to_record;
    use crate::topic::broker_timeout;
    use rdkafka::message::{Header, OwnedHeaders};
    use rdkafka::producer::{FutureProducer, FutureRecord};

    let producer: FutureProducer = kafka
        .clone()
        .set("partitioner", "murmur2_random")
        .set("max.in.flight.requests.per.connection", "1")
        // Five minutes by default: too long to wait for a broker that is not there.
        .set("message.timeout.ms", broker_timeout(kafka).as_millis().to_string())
        .create()?;

    // Send without waiting, in order; the client fills its batches meanwhile.
    let mut sent = Vec::with_capacity(flights.len());
    for (index, flight) in flights.iter().enumerate() {
        let record = to_record(flight).map_err(|source| PublishError::Event { index, source })?;
        let headers = record.headers.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
            headers.insert(Header { key, value: Some(value) })
        });
        let outgoing = FutureRecord::to(topic)
            .key(&record.key)
            .timestamp(record.timestamp_ms)
            .headers(headers)
            .payload(&record.payload);
        match producer.send_result(outgoing) {
            Ok(delivery) => sent.push((record.key, delivery)),
            Err((source, _)) => {
                return Err(PublishError::NotDelivered { index, key: record.key, source });
            }
        }
    }

    // A record that was sent is a record that may be lost. Only the answer says where it is.
    let mut deliveries = Vec::with_capacity(sent.len());
    for (index, (key, delivery)) in sent.into_iter().enumerate() {
        let answer = match delivery.await {
            Ok(Ok(placed)) => Ok(placed),
            Ok(Err((source, _))) => Err(source),
            Err(_) => Err(KafkaError::Canceled),
        };
        match answer {
            Ok(placed) => {
                let delivery = Delivery { key, partition: placed.partition, offset: placed.offset };
                on_delivery(&delivery);
                deliveries.push(delivery);
            }
            Err(source) => return Err(PublishError::NotDelivered { index, key, source }),
        }
    }
    Ok(deliveries)
}
