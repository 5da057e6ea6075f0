//! Given: the topic of a run, made, and filled as the week goes by.

use std::num::NonZeroUsize;

use flights::Flight;
use flights::replay::{Replay, Speed};
use lab01::event::EventError;
use lab01::record::to_record;
use lab01::topic::{Retention, TopicError, TopicSpec, ready_topic};
use lab02::in_flight::Publisher;
use lab02::producer::{NotDelivered, ProducerLimits, producer_config};
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use thiserror::Error;
use tokio_util::sync::CancellationToken;

/// So many records of a replay are on their way at a time.
const IN_FLIGHT: NonZeroUsize = NonZeroUsize::new(1_000).expect("it is not 0");

/// Why a replay ended before its last flight. The flights before it are on the topic.
#[derive(Debug, Error)]
pub enum ReplayError {
    /// The producer could not be made.
    #[error("cannot make a producer: {0}")]
    Producer(#[from] KafkaError),
    /// A flight could not be written as a record.
    #[error(transparent)]
    Flight(#[from] EventError),
    /// The broker did not take a record.
    #[error(transparent)]
    NotDelivered(#[from] NotDelivered),
}

/// Makes a topic that keeps its records, on so many brokers each, unless it is there.
///
/// # Errors
/// When it is there with other settings, or the broker refuses or does not answer.
pub async fn make_topic(
    kafka: &ClientConfig,
    topic: &str,
    partitions: i32,
    replication: i32,
) -> Result<(), TopicError> {
    let name = topic.to_owned();
    let spec = TopicSpec { name, partitions, replication, retention: Retention::Forever };
    ready_topic(kafka, &spec).await?;
    Ok(())
}

/// Publishes each flight when it is due, until the last one or a stop. Returns when the broker has
/// answered for all that were published.
///
/// # Errors
/// [`ReplayError`].
pub async fn replay(
    kafka: &ClientConfig,
    topic: &str,
    flights: Vec<Flight>,
    speed: Speed,
    stop: &CancellationToken,
) -> Result<(), ReplayError> {
    let producer = producer_config(kafka, &ProducerLimits::default()).create()?;
    let mut publisher = Publisher::new(producer, topic, IN_FLIGHT);
    let mut replay = Replay::new(flights, speed);
    loop {
        let flight = tokio::select! {
            () = stop.cancelled() => break,
            flight = replay.next() => flight,
        };
        let Some(flight) = flight else { break };
        if publisher.send(to_record(&flight)?.into()).await.is_err() {
            break;
        }
    }
    match publisher.close().await.not_delivered.into_iter().next() {
        Some(failed) => Err(failed.into()),
        None => Ok(()),
    }
}
