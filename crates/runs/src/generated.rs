//! A generated stream on a topic, a million records in seconds.
//!
//! Lab 02 teaches a producer. This one is made for one purpose: to write a stream whose records are
//! known, each on the partition that the stream says, fast, and to lose none in silence.

use std::sync::Mutex;
use std::time::Duration;

use flights::{Flight, Generated, RecordGenerator};
use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use rdkafka::util::Timeout;
use thiserror::Error;

use crate::filled::broker_timeout;

/// How long to wait for room when the client's queue is full, before another try.
const ROOM: Duration = Duration::from_millis(100);

/// Why a stream is not on its topic as a whole. Other records of it may be.
#[derive(Debug, Error)]
pub enum WriteError {
    /// The broker did not take a record, or the client refused it.
    #[error("record {position} for {topic}[{partition}] was not delivered: {source}")]
    NotDelivered {
        /// The topic.
        topic: String,
        /// The record's partition.
        partition: i32,
        /// The record's position in the stream.
        position: u32,
        /// The client's reason.
        source: KafkaError,
    },
    /// No producer, or no answer from the broker.
    #[error("cannot write to {topic}: {source}")]
    Producer {
        /// The topic.
        topic: String,
        /// The client's reason.
        source: KafkaError,
    },
}

/// Writes the first `records` records of a stream onto a topic, each on the partition that the
/// stream says, with its key and timestamp. Within a partition they lie in the order of the stream.
/// Returns when the broker has acknowledged every one of them. This call blocks its thread.
///
/// # Errors
/// The first record that was not delivered, if any; it is not known then which others were.
pub fn write_generated(
    client: &ClientConfig,
    topic: &str,
    stream: &RecordGenerator,
    records: u32,
) -> Result<(), WriteError> {
    let broken = |source| WriteError::Producer { topic: topic.to_owned(), source };
    let producer: BaseProducer<FirstFailure> = client
        .clone()
        // No record twice, and none before an earlier one, whatever is sent again.
        .set("enable.idempotence", "true")
        // Larger batches: the stream is there as a whole.
        .set("linger.ms", "20")
        .set("message.timeout.ms", broker_timeout(client).as_millis().to_string())
        .create_with_context(FirstFailure::default())
        .map_err(broken)?;
    for position in 0..records {
        let (key, timestamp_ms, payload) = parts(stream.record(position));
        let partition = stream.partition(position);
        let mut outgoing = BaseRecord::with_opaque_to(topic, Box::new((partition, position)))
            .partition(partition)
            .key(&key)
            .timestamp(timestamp_ms);
        outgoing.payload = payload.as_deref();
        send(&producer, outgoing, topic)?;
        producer.poll(Duration::ZERO);
        producer.context().check(topic)?;
    }
    // As long as it takes: each record has its own limit.
    producer.flush(Timeout::Never).map_err(broken)?;
    producer.context().check(topic)
}

/// Hands one record to the client, and waits for room where there is none.
fn send(
    producer: &BaseProducer<FirstFailure>,
    mut outgoing: Outgoing<'_>,
    topic: &str,
) -> Result<(), WriteError> {
    loop {
        match producer.send(outgoing) {
            Ok(()) => return Ok(()),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), returned)) => {
                outgoing = returned;
                producer.poll(ROOM);
            }
            Err((source, returned)) => {
                let (partition, position) = *returned.delivery_opaque;
                let topic = topic.to_owned();
                return Err(WriteError::NotDelivered { topic, partition, position, source });
            }
        }
    }
}

type Outgoing<'a> = BaseRecord<'a, String, [u8], Box<(i32, u32)>>;

/// Key, timestamp and payload as they go onto the topic.
fn parts(record: Generated) -> (String, i64, Option<Vec<u8>>) {
    match record {
        Generated::Flight { flight, .. } | Generated::Duplicate { flight, .. } => {
            let payload = json(&flight);
            (flight.origin.clone(), flight.departed_ms(), Some(payload))
        }
        Generated::Poison(pill) => (pill.key, pill.timestamp_ms, pill.payload),
    }
}

fn json(flight: &Flight) -> Vec<u8> {
    serde_json::to_vec(flight).expect("a flight holds only text and numbers")
}

/// The first record that was not delivered: its partition and position, and why.
#[derive(Default)]
struct FirstFailure(Mutex<Option<(i32, u32, KafkaError)>>);

impl FirstFailure {
    fn check(&self, topic: &str) -> Result<(), WriteError> {
        match self.lock().take() {
            None => Ok(()),
            Some((partition, position, source)) => {
                let topic = topic.to_owned();
                Err(WriteError::NotDelivered { topic, partition, position, source })
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(i32, u32, KafkaError)>> {
        self.0.lock().expect("nothing panics while it is held")
    }
}

impl ClientContext for FirstFailure {}

impl ProducerContext for FirstFailure {
    type DeliveryOpaque = Box<(i32, u32)>;

    fn delivery(&self, result: &DeliveryResult<'_>, place: Box<(i32, u32)>) {
        if let Err((error, _)) = result {
            self.lock().get_or_insert_with(|| (place.0, place.1, error.clone()));
        }
    }
}
