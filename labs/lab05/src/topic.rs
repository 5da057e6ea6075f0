//! Given: the topic of a run, filled once or as the week goes by.

use std::error::Error;
use std::num::NonZeroUsize;
use std::time::SystemTime;

use flights::Flight;
use flights::replay::{Replay, Speed, arrival_order};
use flights::weeks::Week;
use lab01::publish::publish;
use lab01::record::to_record;
use lab01::topic::{Retention, TopicError, TopicSpec, ensure_topic};
use lab02::in_flight::Publisher;
use lab02::producer::{ProducerLimits, producer_config};
use lab05::job::JobConfig;
use rdkafka::ClientConfig;
use runs::filled_once;
use tokio_util::sync::CancellationToken;

use crate::{Arguments, PACKAGE};

/// So many records of a replay are on their way at a time.
const IN_FLIGHT: NonZeroUsize = NonZeroUsize::new(1_000).expect("it is not 0");

/// A topic for each data set and number of partitions, so that no run changes what another reads. A
/// replay has one of its own.
pub fn name(prefix: &str, week: Week, partitions: i32, speed: Option<Speed>) -> String {
    let mut name = format!("{prefix}{PACKAGE}.{}", week.name());
    if partitions != 3 {
        name += &format!(".partitions-{partitions}");
    }
    if let Some(speed) = speed {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        name += &format!(".{speed}.{}", now.as_millis());
    }
    name
}

/// Where the dead letters of a topic go.
pub fn dead_letters_of(topic: &str) -> String {
    format!("{topic}.dead-letters")
}

/// Makes the topics of a run. Fills the one with the flights, unless it is for a replay. Gives the
/// flights in the order in which they left.
pub async fn fill(
    kafka: &ClientConfig,
    topic: &str,
    arguments: &Arguments,
) -> Result<Vec<Flight>, Box<dyn Error>> {
    let flights = arrival_order(arguments.week.load().departed);
    make(kafka, &dead_letters_of(topic), 1).await?;
    if arguments.speed.is_some() {
        make(kafka, topic, arguments.partitions).await?;
        return Ok(flights);
    }
    filled_once(kafka, topic, flights.len() as u64, async || {
        make(kafka, topic, arguments.partitions).await?;
        publish(kafka, topic, &flights, &mut |_| {}).await?;
        Ok::<(), Box<dyn Error + Send + Sync>>(())
    })
    .await?;
    Ok(flights)
}

/// Publishes each flight when it is due, until the last one or a stop.
pub async fn replay(
    config: &JobConfig,
    flights: Vec<Flight>,
    speed: Speed,
    stop: &CancellationToken,
) -> Result<(), Box<dyn Error>> {
    let producer = producer_config(&config.kafka, &ProducerLimits::default()).create()?;
    let mut publisher = Publisher::new(producer, &config.topic, IN_FLIGHT);
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

async fn make(kafka: &ClientConfig, topic: &str, partitions: i32) -> Result<(), TopicError> {
    let name = topic.to_owned();
    let spec = TopicSpec { name, partitions, replication: 1, retention: Retention::Forever };
    ensure_topic(kafka, &spec).await?;
    Ok(())
}
