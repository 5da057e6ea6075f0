//! Step 2: a producer that loses nothing, and its report.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::FutureProducer;
use thiserror::Error;

use crate::record::Record;

// ANCHOR: report
/// What a producer may take of this process, and of its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProducerLimits {
    /// So many records may wait in the client's own queue, those on their way included.
    pub queued_records: usize,
    /// A record that no broker took for so long counts as not delivered.
    pub delivery_timeout: Duration,
}

/// The broker's word that it has a record, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivered {
    /// The partition that the key chose.
    pub partition: i32,
    /// The record's place in that partition.
    pub offset: i64,
}

/// A record without the broker's word that it has it.
///
/// It may be on the topic all the same: the broker may have written it, and only its answer was
/// lost. Sending it again from here is a new record to the broker, which no idempotent producer
/// tells from the first.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("record with key {} was not delivered to `{topic}`: {error}", record.key_text())]
pub struct NotDelivered {
    /// The topic it was meant for.
    pub topic: String,
    /// The record itself, to be sent again or put aside.
    pub record: Box<Record>,
    /// The client's reason.
    pub error: KafkaError,
    /// Whether the same record can succeed later; see [`is_retriable`].
    pub retriable: bool,
}
// ANCHOR_END: report

impl Default for ProducerLimits {
    /// 10,000 records, 30 seconds.
    fn default() -> ProducerLimits {
        ProducerLimits { queued_records: 10_000, delivery_timeout: Duration::from_secs(30) }
    }
}

impl NotDelivered {
    /// Says of a record why it was not delivered.
    pub fn new(topic: &str, record: Record, error: KafkaError) -> NotDelivered {
        let retriable = error.rdkafka_error_code().is_some_and(is_retriable);
        NotDelivered { topic: topic.to_owned(), record: Box::new(record), error, retriable }
    }
}

/// The settings of a producer that loses nothing and writes nothing twice by itself.
///
/// All of `kafka` stays, security too, except for what these guarantees rest on:
///
/// - `acks=all`: the broker answers when every replica in sync has the record.
/// - `enable.idempotence=true`: records are numbered, so that a retry is neither written twice nor
///   overtakes.
/// - `partitioner=murmur2_random`, as in lab 01.
/// - `queue.buffering.max.messages` and `message.timeout.ms`, from the limits.
pub fn producer_config(kafka: &ClientConfig, limits: &ProducerLimits) -> ClientConfig {
    let mut config = kafka.clone();
    config
        .set("acks", "all")
        .set("enable.idempotence", "true")
        .set("partitioner", "murmur2_random")
        .set("queue.buffering.max.messages", limits.queued_records.to_string())
        .set("message.timeout.ms", limits.delivery_timeout.as_millis().to_string());
    config
}

/// Whether a record that failed so can succeed later, unchanged: of the codes that a broker may
/// give to a *produce* request, those marked in the column "retriable" of
/// <https://kafka.apache.org/protocol#protocol_error_codes>; of the client's own codes those that
/// speak of the connection, of time or of the queue. (Kafka's CORRUPT_MESSAGE is `InvalidMessage` here.)
///
/// A code that is not known to be retriable is not.
pub fn is_retriable(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode::*;
    matches!(
        code,
        // The client's own.
        AllBrokersDown
            | BrokerTransportFailure
            | MessageTimedOut
            | OperationTimedOut
            | QueueFull
            | Resolve
            // The broker's.
            | InvalidMessage
            | UnknownTopicOrPartition
            | LeaderNotAvailable
            | NotLeaderForPartition
            | RequestTimedOut
            | NetworkException
            | NotEnoughReplicas
            | NotEnoughReplicasAfterAppend
            | KafkaStorageError
    )
}

/// Sends one record and waits for the broker's word. Where the client's queue is full, it waits
/// for room first, with no limit of its own: the records in the queue have theirs.
///
/// # Errors
/// [`NotDelivered`], with the record, when the broker refused it or did not take it within the
/// producer's `message.timeout.ms`.
pub async fn send_one(
    producer: &FutureProducer,
    topic: &str,
    record: &Record,
) -> Result<Delivered, NotDelivered> {
    use rdkafka::util::Timeout;

    match producer.send(record.to_outgoing(topic), Timeout::Never).await {
        Ok(placed) => Ok(Delivered { partition: placed.partition, offset: placed.offset }),
        Err((error, _)) => Err(NotDelivered::new(topic, record.clone(), error)),
    }
}
