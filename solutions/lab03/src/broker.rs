//! Given: what a broker knows of a topic's partitions, and of the offsets that a group committed.

use std::collections::BTreeMap;
use std::time::Duration;

use lab01::topic::broker_timeout;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use thiserror::Error;

use crate::progress::Offsets;

/// What a partition holds: the offsets `[first, end)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The log start offset: that of the oldest record that is still there.
    pub first: i64,
    /// The log end offset: that of the next record to come. For a client that reads
    /// `read_committed`, which librdkafka does unless told otherwise, it is the last stable offset:
    /// that of the first record of a transaction that is still open.
    pub end: i64,
}

/// Why a broker could not be asked.
#[derive(Debug, Error)]
pub enum BrokerError {
    /// There is no such topic.
    #[error("topic `{topic}` does not exist")]
    NoTopic {
        /// The topic.
        topic: String,
    },
    /// No answer, or one that is an error.
    #[error("cannot ask the broker at {brokers}: {source}")]
    NoAnswer {
        /// The brokers' addresses.
        brokers: String,
        /// The client's reason.
        source: KafkaError,
    },
}

/// Asks and commits for a group without being one of its members: its consumer is never
/// subscribed, so the group's members, if there are any, do not notice it.
///
/// Each call blocks its thread.
pub struct Outsider {
    /// A consumer that has the group's name and no subscription.
    pub consumer: BaseConsumer,
    /// What Kafka clients start from.
    pub kafka: ClientConfig,
    /// The topic that the questions are about.
    pub topic: String,
    /// The group that the questions are about.
    pub group: String,
}

impl Outsider {
    /// An outsider of a group, for one topic.
    ///
    /// # Errors
    /// [`BrokerError::NoAnswer`] when the settings make no client.
    pub fn new(kafka: &ClientConfig, topic: &str, group: &str) -> Result<Self, BrokerError> {
        let mut config = kafka.clone();
        config.set("group.id", group).set("enable.auto.commit", "false");
        let consumer = config.create().map_err(|source| no_answer(kafka, source))?;
        Ok(Self {
            consumer,
            kafka: kafka.clone(),
            topic: topic.to_owned(),
            group: group.to_owned(),
        })
    }

    /// How long a question may take.
    pub fn timeout(&self) -> Duration {
        broker_timeout(&self.kafka)
    }

    /// An error of the consumer as one of this module.
    pub fn no_answer(&self, source: KafkaError) -> BrokerError {
        no_answer(&self.kafka, source)
    }

    /// The topic's partitions.
    ///
    /// # Errors
    /// - [`BrokerError::NoTopic`] when there is no such topic.
    /// - [`BrokerError::NoAnswer`] when the broker cannot be asked.
    pub fn partitions(&self) -> Result<Vec<i32>, BrokerError> {
        let answer = self.consumer.fetch_metadata(Some(&self.topic), self.timeout());
        let metadata = answer.map_err(|source| self.no_answer(source))?;
        let mut partitions = Vec::new();
        for found in metadata.topics() {
            match found.error().map(RDKafkaErrorCode::from) {
                None => partitions.extend(found.partitions().iter().map(|found| found.id())),
                Some(
                    RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic,
                ) => {
                    return Err(BrokerError::NoTopic { topic: self.topic.clone() });
                }
                Some(code) => return Err(self.no_answer(KafkaError::MetadataFetch(code))),
            }
        }
        Ok(partitions)
    }

    /// What each of the topic's partitions holds at this moment.
    ///
    /// # Errors
    /// As [`partitions`](Outsider::partitions).
    pub fn bounds(&self) -> Result<BTreeMap<i32, Bounds>, BrokerError> {
        let mut bounds = BTreeMap::new();
        for partition in self.partitions()? {
            let (first, end) = self
                .consumer
                .fetch_watermarks(&self.topic, partition, self.timeout())
                .map_err(|source| self.no_answer(source))?;
            bounds.insert(partition, Bounds { first, end });
        }
        Ok(bounds)
    }

    /// What the group has committed; partitions without a commit are left out.
    ///
    /// # Errors
    /// As [`partitions`](Outsider::partitions).
    pub fn committed(&self) -> Result<Offsets, BrokerError> {
        let mut question = TopicPartitionList::new();
        for partition in self.partitions()? {
            question.add_partition(&self.topic, partition);
        }
        let answer = self.consumer.committed_offsets(question, self.timeout());
        answer.and_then(|answer| numbers(&answer)).map_err(|source| self.no_answer(source))
    }
}

/// Partitions of one topic with the offset of each.
///
/// # Errors
/// When an offset is no offset: a negative number.
pub fn partition_list(topic: &str, offsets: &Offsets) -> Result<TopicPartitionList, KafkaError> {
    let mut list = TopicPartitionList::new();
    for (&partition, &offset) in offsets {
        list.add_partition_offset(topic, partition, Offset::from_raw(offset))?;
    }
    Ok(list)
}

/// The partitions whose offset is a number, and not `Invalid`, `End` or the like.
///
/// # Errors
/// When the broker had no answer for one of the partitions; the others say nothing of it.
pub fn numbers(list: &TopicPartitionList) -> Result<Offsets, KafkaError> {
    let mut numbers = Offsets::new();
    for element in list.elements() {
        element.error()?;
        if let Offset::Offset(offset) = element.offset() {
            numbers.insert(element.partition(), offset);
        }
    }
    Ok(numbers)
}

fn no_answer(kafka: &ClientConfig, source: KafkaError) -> BrokerError {
    let brokers = kafka.get("bootstrap.servers").unwrap_or_default().to_owned();
    BrokerError::NoAnswer { brokers, source }
}
