//! A topic for each data set, filled once and checked by its count.
//!
//! A run may be killed at any moment, also in the middle of filling. So nothing is noted beside the
//! topic that could be wrong afterwards: what the topic holds is the only sign. A complete topic is
//! used again, one that is partly filled is removed and filled anew.

use std::error::Error;
use std::fs::File;
use std::io;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rig::place::Place;
use rig::say::say;
use thiserror::Error;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// How long a broker may take to answer, unless the client's own settings say otherwise.
const BROKER_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a run waits for another one before it says so.
const SILENT_WAIT: Duration = Duration::from_secs(1);

const PAUSE_BETWEEN_QUESTIONS: Duration = Duration::from_millis(10);

/// Who filled a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filled {
    /// This call.
    Now,
    /// An earlier run.
    Before,
}

/// Why a topic does not hold what it should.
#[derive(Debug, Error)]
pub enum FillError {
    /// It holds more than the data set, so somebody else wrote to it.
    #[error(
        "topic `{topic}` holds {found} records, expected {expected}; to have it filled anew: \
         bin/kafka-topics --delete --topic {topic}"
    )]
    TooMany {
        /// The topic.
        topic: String,
        /// The records of the data set.
        expected: u64,
        /// The records that it holds.
        found: u64,
    },
    /// It was filled without an error, and holds another number of records all the same.
    #[error("topic `{topic}` was filled and holds {found} records, expected {expected}")]
    OtherCount {
        /// The topic.
        topic: String,
        /// The records of the data set.
        expected: u64,
        /// The records that it holds.
        found: u64,
    },
    /// Filling it failed.
    #[error("cannot fill topic `{topic}`: {source}")]
    Fill {
        /// The topic.
        topic: String,
        /// What the code that fills said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The broker will not remove what is left of an earlier run.
    #[error("cannot remove topic `{topic}`, which is filled in part: {code}")]
    Refused {
        /// The topic.
        topic: String,
        /// The broker's reason.
        code: RDKafkaErrorCode,
    },
    /// The broker could not be asked.
    #[error("no broker answers at {brokers}: {source}")]
    Broker {
        /// The brokers' addresses.
        brokers: String,
        /// The client's reason.
        source: KafkaError,
    },
    /// The lock that keeps two runs from filling at once could not be had.
    #[error("cannot lock {path}: {source}")]
    Lock {
        /// The lock's file.
        path: String,
        /// The system's reason.
        source: io::Error,
    },
}

/// Has the topic filled by `fill`, unless it holds the expected number of records already.
///
/// `fill` makes the topic and publishes the whole data set. When it is called, there is no such
/// topic: one that holds fewer records than expected is removed before. Of two runs in one clone
/// that call this at the same time, the second waits for the first.
///
/// The number is that of offsets between the ends of each partition. So this is for topics that
/// are written to without transactions and that keep all their records: a transaction's end takes
/// an offset as well. Where a user may choose the number of partitions, it belongs into the topic's
/// name.
///
/// # Errors
/// - [`FillError::TooMany`] when the topic holds more than expected. It is left as it is, since
///   nobody knows whose records those are.
/// - [`FillError::Fill`] when `fill` fails, [`FillError::OtherCount`] when it says that it did not
///   and the count disagrees.
/// - [`FillError::Refused`], [`FillError::Broker`] and [`FillError::Lock`] when the broker or the
///   system does not play its part.
pub async fn filled_once<E: Into<Box<dyn Error + Send + Sync>>>(
    client: &ClientConfig,
    topic: &str,
    expected_records: u64,
    fill: impl AsyncFnOnce() -> Result<(), E>,
) -> Result<Filled, FillError> {
    let _turn = wait_for_turn(topic).await?;
    match count(client, topic).await? {
        Some(found) if found == expected_records => return Ok(Filled::Before),
        Some(found) if found > expected_records => {
            let (topic, expected) = (topic.to_owned(), expected_records);
            return Err(FillError::TooMany { topic, expected, found });
        }
        Some(_) => remove(client, topic).await?,
        None => {}
    }
    fill()
        .await
        .map_err(|error| FillError::Fill { topic: topic.to_owned(), source: error.into() })?;
    let found = count(client, topic).await?.unwrap_or(0);
    if found == expected_records {
        return Ok(Filled::Now);
    }
    let topic = topic.to_owned();
    Err(FillError::OtherCount { topic, expected: expected_records, found })
}

/// A client's settings for a producer that fills a topic: a batch that is sent again does not fall
/// behind a later one, and is not there twice. The count of a topic shows neither its order nor a
/// record that stands for another.
pub fn keeps_order(client: &ClientConfig) -> ClientConfig {
    let mut producer = client.clone();
    producer.set("enable.idempotence", "true");
    producer
}

/// How many records a topic holds; `None` when there is no such topic.
///
/// # Errors
/// When the broker cannot be asked or does not answer in time.
pub async fn count(client: &ClientConfig, topic: &str) -> Result<Option<u64>, FillError> {
    let (asked, topic) = (client.clone(), topic.to_owned());
    let counted = spawn_blocking(move || count_blocking(&asked, &topic)).await;
    counted.expect("counting does not panic").map_err(|source| unreachable(client, source))
}

fn count_blocking(client: &ClientConfig, topic: &str) -> Result<Option<u64>, KafkaError> {
    let limit = broker_timeout(client);
    // A consumer, because asking as a producer may make the topic on brokers that allow it.
    let consumer: BaseConsumer = client.create()?;
    let metadata = consumer.fetch_metadata(Some(topic), limit)?;
    let Some(found) = metadata.topics().first() else { return Ok(None) };
    match found.error().map(RDKafkaErrorCode::from) {
        Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {
            return Ok(None);
        }
        Some(code) => return Err(KafkaError::MetadataFetch(code)),
        None => {}
    }
    let mut records = 0;
    for partition in found.partitions() {
        let (first, end) = consumer.fetch_watermarks(topic, partition.id(), limit)?;
        records += (end - first).unsigned_abs();
    }
    Ok(Some(records))
}

/// Removes the topic, and waits until the broker no longer takes records for it: those would be
/// lost with the old topic.
async fn remove(client: &ClientConfig, topic: &str) -> Result<(), FillError> {
    let broker = |source| unreachable(client, source);
    let admin: AdminClient<DefaultClientContext> = client.create().map_err(broker)?;
    let limit = broker_timeout(client);
    let options = AdminOptions::new().request_timeout(Some(limit));
    let answers = admin.delete_topics(&[topic], &options).await.map_err(broker)?;
    let refused = |code| FillError::Refused { topic: topic.to_owned(), code };
    for answer in answers {
        match answer {
            Ok(_) | Err((_, RDKafkaErrorCode::UnknownTopicOrPartition)) => {}
            Err((_, code)) => return Err(refused(code)),
        }
    }
    let deadline = Instant::now() + limit;
    while count(client, topic).await?.is_some() {
        if Instant::now() >= deadline {
            return Err(refused(RDKafkaErrorCode::OperationTimedOut));
        }
        tokio::time::sleep(PAUSE_BETWEEN_QUESTIONS).await;
    }
    Ok(())
}

/// A lock of this clone, which the system takes back however the run ends.
async fn wait_for_turn(topic: &str) -> Result<File, FillError> {
    let path = Place::of_this_clone().fill_lock();
    let shown = path.display().to_string();
    let mut locked = spawn_blocking(move || {
        let file = File::create(path)?;
        file.lock()?;
        Ok(file)
    });
    let locked = match timeout(SILENT_WAIT, &mut locked).await {
        Ok(locked) => locked,
        Err(_) => {
            say(&format!("waiting to look at topic {topic}: another run is filling a topic"));
            locked.await
        }
    };
    locked
        .expect("taking a lock does not panic")
        .map_err(|source| FillError::Lock { path: shown, source })
}

/// How long this client lets a broker take: its `socket.timeout.ms`, else [`BROKER_TIMEOUT`].
pub(crate) fn broker_timeout(client: &ClientConfig) -> Duration {
    let chosen_ms = client.get("socket.timeout.ms").and_then(|value| value.parse().ok());
    chosen_ms.map_or(BROKER_TIMEOUT, Duration::from_millis)
}

fn unreachable(client: &ClientConfig, source: KafkaError) -> FillError {
    let brokers = client.get("bootstrap.servers").unwrap_or_default().to_owned();
    FillError::Broker { brokers, source }
}
