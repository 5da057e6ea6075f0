//! Given: a plain consumer that reads a topic once, from its first record to its last.
//!
//! It belongs to no group and commits nothing. How a consumer shares its work and remembers its
//! place is the matter of labs 02 and 03.

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::topic::BROKER_TIMEOUT;

/// A record as it lies on the topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRecord {
    /// Its partition.
    pub partition: i32,
    /// Its place in the partition.
    pub offset: i64,
    /// Its timestamp (CreateTime), in milliseconds since the epoch, UTC.
    pub timestamp_ms: Option<i64>,
    /// Its key, where it has one.
    pub key: Option<Vec<u8>>,
    /// Its headers, in order.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Its payload; empty where it has none.
    pub payload: Vec<u8>,
}

/// Reads every record that the topic holds now, partition after partition, in order of offset.
///
/// This call blocks its thread; in async code, give it a thread with `spawn_blocking`.
///
/// # Errors
/// When the broker cannot be asked or answers with an error.
pub fn read_topic(kafka: &ClientConfig, topic: &str) -> Result<Vec<StoredRecord>, KafkaError> {
    let consumer: BaseConsumer = kafka
        .clone()
        .set("group.id", "readback-without-a-group")
        .set("enable.auto.commit", "false")
        .create()?;
    let mut records = Vec::new();
    for partition in partitions_of(&consumer, topic)? {
        read_partition(&consumer, topic, partition, &mut records)?;
    }
    Ok(records)
}

fn partitions_of(consumer: &BaseConsumer, topic: &str) -> Result<Vec<i32>, KafkaError> {
    let metadata = consumer.fetch_metadata(Some(topic), BROKER_TIMEOUT)?;
    let mut partitions = Vec::new();
    for topic in metadata.topics() {
        if let Some(error) = topic.error() {
            return Err(KafkaError::MetadataFetch(error.into()));
        }
        partitions.extend(topic.partitions().iter().map(|partition| partition.id()));
    }
    partitions.sort_unstable();
    Ok(partitions)
}

/// Reads from the first offset to the end as it is now. The end is asked for once: a topic that
/// is written to faster than it is read would otherwise never end.
fn read_partition(
    consumer: &BaseConsumer,
    topic: &str,
    partition: i32,
    records: &mut Vec<StoredRecord>,
) -> Result<(), KafkaError> {
    let (first, end) = consumer.fetch_watermarks(topic, partition, BROKER_TIMEOUT)?;
    if first == end {
        return Ok(());
    }
    let mut start = TopicPartitionList::new();
    start.add_partition_offset(topic, partition, Offset::Offset(first))?;
    consumer.assign(&start)?;
    loop {
        let message = match consumer.poll(BROKER_TIMEOUT) {
            Some(message) => message?,
            None => {
                return Err(KafkaError::MessageConsumption(
                    rdkafka::error::RDKafkaErrorCode::OperationTimedOut,
                ));
            }
        };
        records.push(stored(&message));
        if message.offset() + 1 >= end {
            return Ok(());
        }
    }
}

fn stored(message: &BorrowedMessage<'_>) -> StoredRecord {
    let headers = message.headers().map_or(Vec::new(), |headers| {
        headers
            .iter()
            .map(|header| (header.key.to_owned(), header.value.unwrap_or_default().to_vec()))
            .collect()
    });
    StoredRecord {
        partition: message.partition(),
        offset: message.offset(),
        timestamp_ms: message.timestamp().to_millis(),
        key: message.key().map(<[u8]>::to_vec),
        headers,
        payload: message.payload().unwrap_or_default().to_vec(),
    }
}
