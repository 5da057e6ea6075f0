//! Given: the topic of a run, its name and what is on it before the run.

use std::error::Error;
use std::time::SystemTime;

use flights::Flight;
use flights::replay::{Speed, arrival_order};
use flights::weeks::Week;
use lab01::publish::publish;
use lab05::run_topic::make_topic;
use rig::Rig;
use runs::{filled_once, keeps_order};

use crate::{Arguments, PACKAGE};

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
    rig: &Rig,
    topic: &str,
    arguments: &Arguments,
) -> Result<Vec<Flight>, Box<dyn Error>> {
    let flights = arrival_order(arguments.week.load().departed);
    let (kafka, replication) = (&rig.kafka(), rig.replication());
    make_topic(kafka, &dead_letters_of(topic), 1, replication).await?;
    if arguments.speed.is_some() {
        make_topic(kafka, topic, arguments.partitions, replication).await?;
        return Ok(flights);
    }
    filled_once(kafka, topic, flights.len() as u64, async || {
        make_topic(kafka, topic, arguments.partitions, replication).await?;
        publish(&keeps_order(kafka), topic, &flights, &mut |_| {}).await?;
        Ok::<(), Box<dyn Error + Send + Sync>>(())
    })
    .await?;
    Ok(flights)
}
