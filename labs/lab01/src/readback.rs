//! Given: a plain consumer that reads a topic once, from its first record to its last.
//!
//! It belongs to no group and commits nothing. How a consumer shares its work and remembers its
//! place is the matter of labs 02 and 03.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::topic::broker_timeout;

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

/// Reads every record that the topic holds now: by partition, and in it by offset.
///
/// This call blocks its thread; in async code, give it a thread with `spawn_blocking`.
///
/// # Errors
/// When the broker cannot be asked or answers with an error.
pub fn read_topic(kafka: &ClientConfig, topic: &str) -> Result<Vec<StoredRecord>, KafkaError> {
    let timeout = broker_timeout(kafka);
    let consumer: BaseConsumer = kafka
        .clone()
        // A consumer has to name a group, and may have to be allowed to. It joins none.
        .set("group.id", topic)
        .set("enable.auto.commit", "false")
        .create()?;

    // The ends are asked for once: a topic that is written to faster than it is read would
    // otherwise never end.
    let mut start = TopicPartitionList::new();
    let mut unread_ends = BTreeMap::new();
    for partition in partitions_of(&consumer, topic, timeout)? {
        let (first, end) = consumer.fetch_watermarks(topic, partition, timeout)?;
        if first < end {
            start.add_partition_offset(topic, partition, Offset::Offset(first))?;
            unread_ends.insert(partition, end);
        }
    }
    consumer.assign(&start)?;

    let mut records = Vec::new();
    while !unread_ends.is_empty() {
        let message = consumer
            .poll(timeout)
            .ok_or(KafkaError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut))??;
        let Some(end) = unread_ends.get(&message.partition()) else { continue };
        if message.offset() + 1 >= *end {
            unread_ends.remove(&message.partition());
        }
        records.push(stored(&message));
    }
    records.sort_unstable_by_key(|record| (record.partition, record.offset));
    Ok(records)
}

fn partitions_of(
    consumer: &BaseConsumer,
    topic: &str,
    timeout: Duration,
) -> Result<Vec<i32>, KafkaError> {
    let metadata = consumer.fetch_metadata(Some(topic), timeout)?;
    let mut partitions = Vec::new();
    for topic in metadata.topics() {
        if let Some(error) = topic.error() {
            return Err(KafkaError::MetadataFetch(error.into()));
        }
        partitions.extend(topic.partitions().iter().map(|partition| partition.id()));
    }
    Ok(partitions)
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
