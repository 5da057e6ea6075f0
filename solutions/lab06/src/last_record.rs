//! Given: the fingerprints of single records, read from a topic.

use std::collections::BTreeMap;
use std::time::Duration;

use lab02::dead_letters::is_reconnecting;
use lab03::broker::partition_list;
use rdkafka::ClientConfig;
use rdkafka::Message;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::error::KafkaError;
use thiserror::Error;
use tokio::time::{Instant, timeout_at};

use crate::state::Fingerprint;
use crate::turn::Record;

/// How long the broker may take to give all of the records.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// Why the records could not be read.
#[derive(Debug, Error)]
pub enum LastRecordError {
    /// The broker refused, or is gone.
    #[error("cannot read topic `{topic}`: {source}")]
    Broker {
        /// The topic.
        topic: String,
        /// The client's reason.
        source: KafkaError,
    },
    /// The broker gave nothing in time.
    #[error(
        "topic `{topic}`, partition {partition}: no record at offset {offset} within {} s",
        TIMEOUT.as_secs()
    )]
    Silent {
        /// The topic.
        topic: String,
        /// The first partition of which nothing came.
        partition: i32,
        /// The offset that was asked for.
        offset: i64,
    },
}

/// Reads one record of each of these partitions, at the offset that is given, and gives their
/// fingerprints. Where that place holds no record any more, or never did, the next one is taken.
///
/// # Errors
/// [`LastRecordError`].
pub async fn fingerprints(
    kafka: &ClientConfig,
    topic: &str,
    offsets: &BTreeMap<i32, i64>,
) -> Result<BTreeMap<i32, Fingerprint>, LastRecordError> {
    if offsets.is_empty() {
        return Ok(BTreeMap::new());
    }
    let failed = |source| LastRecordError::Broker { topic: topic.to_owned(), source };
    let consumer: StreamConsumer = kafka
        .clone()
        // A consumer has to name a group, and may have to be allowed to. It joins none.
        .set("group.id", topic)
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "error")
        // The client's queue fills with records behind these, and by default it then waits for a second
        // before it asks for other partitions.
        .set("fetch.queue.backoff.ms", "10")
        .create()
        .map_err(failed)?;
    let list = partition_list(topic, offsets).map_err(failed)?;
    consumer.assign(&list).map_err(failed)?;
    let deadline = Instant::now() + TIMEOUT;
    let mut found: BTreeMap<i32, Fingerprint> = BTreeMap::new();
    while let Some(partition) = offsets.keys().find(|partition| !found.contains_key(partition)) {
        let Ok(answer) = timeout_at(deadline, consumer.recv()).await else {
            let (topic, partition, offset) = (topic.to_owned(), *partition, offsets[partition]);
            return Err(LastRecordError::Silent { topic, partition, offset });
        };
        let message = match answer {
            Err(error) if is_reconnecting(&error) => continue,
            answer => answer.map_err(failed)?,
        };
        let (partition, offset) = (message.partition(), message.offset());
        let timestamp_ms = message.timestamp().to_millis().unwrap_or(-1);
        let payload = message.payload().unwrap_or_default().to_vec();
        let record = Record { partition, offset, timestamp_ms, payload };
        found.entry(partition).or_insert_with(|| Fingerprint::of(&record));
    }
    Ok(found)
}
