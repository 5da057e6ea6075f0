//! Given: the topic of a run, filled once or as the week goes by.

use std::error::Error;
use std::time::{Duration, SystemTime};

use flights::edge_log::FLINK_SEED;
use flights::replay::{Speed, arrival_order};
use flights::{Flight, Generator, RecordGenerator};
use lab01::publish::publish;
use lab01::topic::describe_topic;
use lab05::run_topic::{self, make_topic};
use rdkafka::ClientConfig;
use rig::Rig;
use runs::{filled_once, keeps_order, write_generated};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use crate::PACKAGE;
use crate::arguments::Source;

/// The topic's name: one for each data set and number of partitions, so that no run changes what
/// another reads. A replay has one of its own.
pub fn topic_name(prefix: &str, source: &Source, bound_min: u32) -> String {
    if let Some(topic) = &source.topic {
        return topic.clone();
    }
    let mut name = match source.made {
        Some(records) => format!("{prefix}{PACKAGE}.made-{records}-{bound_min}-min"),
        None => format!("{prefix}{PACKAGE}.{}", source.week.name()),
    };
    if source.partitions != 3 {
        name += &format!(".partitions-{}", source.partitions);
    }
    if let Some(speed) = source.speed {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        name += &format!(".{speed}.{}", now.as_millis());
    }
    name
}

/// What is read, for a person.
pub fn title(source: &Source) -> String {
    match (&source.topic, source.made) {
        (Some(topic), _) => topic.clone(),
        (None, Some(records)) => format!("{records} made flights"),
        (None, None) => source.week.title().to_owned(),
    }
}

/// How many records there are to be; `None` where somebody else fills the topic.
pub fn records(source: &Source) -> Option<u64> {
    match (&source.topic, source.made) {
        (Some(_), _) => None,
        (None, Some(records)) => Some(records.into()),
        (None, None) => Some(source.week.load().departed.len() as u64),
    }
}

/// Has the topic filled, unless it was before. For a replay it is made and stays empty; one that
/// somebody else fills has to be there.
pub async fn fill(
    rig: &Rig,
    topic: &str,
    source: &Source,
    bound_min: u32,
) -> Result<(), Box<dyn Error>> {
    let (kafka, replication) = (&rig.kafka(), rig.replication());
    let Some(records) = records(source) else {
        describe_topic(kafka, topic).await?;
        return Ok(());
    };
    if source.speed.is_some() {
        return Ok(make_topic(kafka, topic, source.partitions, replication).await?);
    }
    filled_once(kafka, topic, records, async || {
        make_topic(kafka, topic, source.partitions, replication).await?;
        match source.made {
            Some(records) => {
                write_made(kafka, topic, source.partitions, records, bound_min).await?;
            }
            None => {
                let flights = in_arrival_order(source);
                publish(&keeps_order(kafka), topic, &flights, &mut |_| {}).await?;
            }
        }
        Ok::<(), Box<dyn Error + Send + Sync>>(())
    })
    .await?;
    Ok(())
}

fn in_arrival_order(source: &Source) -> Vec<Flight> {
    arrival_order(source.week.load().departed)
}

/// Writes made flights, each partition in its turn and none of them idle. No record is behind its own
/// partition by more than the bound, so none is dropped, in whatever order the partitions are read.
async fn write_made(
    kafka: &ClientConfig,
    topic: &str,
    partitions: i32,
    records: u32,
    bound_min: u32,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let flights = match bound_min {
        0 => Generator::in_order(FLINK_SEED),
        minutes => {
            Generator::out_of_order(FLINK_SEED, Duration::from_secs(60 * u64::from(minutes)))?
        }
    };
    let stream = RecordGenerator::new(flights).with_partitions(partitions)?;
    let (kafka, topic) = (kafka.clone(), topic.to_owned());
    let written = spawn_blocking(move || write_generated(&kafka, &topic, &stream, records)).await;
    Ok(written.expect("writing does not panic")?)
}

/// Publishes each flight of the week when it is due, until the last one or a stop.
pub async fn replay(
    kafka: &ClientConfig,
    topic: &str,
    source: &Source,
    speed: Speed,
    stop: &CancellationToken,
) -> Result<(), Box<dyn Error>> {
    Ok(run_topic::replay(kafka, topic, in_arrival_order(source), speed, stop).await?)
}
