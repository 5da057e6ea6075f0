//! The questions to Kafka, in order.

use std::io::{self, Write};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rig::cluster::Cluster;
use rig::{reach, rights};
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::groups;
use crate::need::Need;
use crate::records;
use crate::report::{Answer, Report};
use crate::stop::{aside, unless_stopped, with_removal};
use crate::trial::Trial;

/// Asks until a need is missing on which the others rest, and removes what it has made, also where
/// Ctrl-C ends it.
///
/// # Errors
/// When the report cannot be written, or Ctrl-C was pressed: with what the removal said.
pub async fn ask<W: Write>(
    cluster: &Cluster,
    name: &str,
    limit: Duration,
    stop: &CancellationToken,
    report: &mut Report<W>,
) -> io::Result<()> {
    // Nothing is made yet.
    let Some(trial) = unless_stopped(stop, ask_to_be_let_in(cluster, name, limit, report)).await?
    else {
        return Ok(());
    };
    let asked = unless_stopped(stop, ask_for_records(&trial, report)).await;
    let removed = trial.remove().await;
    match asked {
        Ok(true) => report.tell(Need::Removing, removed).map(|_| ()),
        // Of topics that could not be made it would be said that they stay.
        Ok(false) => Ok(()),
        Err(error) => Err(with_removal(&error, removed)),
    }
}

/// What the further questions are asked with, where they can be asked.
async fn ask_to_be_let_in<W: Write>(
    cluster: &Cluster,
    name: &str,
    limit: Duration,
    report: &mut Report<W>,
) -> io::Result<Option<Trial>> {
    let named = cluster.clone();
    let reached = aside(move || reach::ask_kafka(&named)).await?;
    let reached = reached.map(|()| "reached, and lets you in".to_owned());
    if !report.tell(Need::LogIn, reached.map_err(|error| error.to_string()))? {
        return Ok(None);
    }
    let kafka = cluster.kafka();
    report.tell(Need::Brokers, aside(move || brokers(&kafka, limit)).await?)?;
    let named = cluster.clone();
    let replication = match aside(move || rights::ask(&named, limit)).await? {
        Ok(factor) => factor,
        Err(error) => return report.tell(Need::Rights, Answer::Missing(error.0)).map(|_| None),
    };
    let found = format!("topics may be made, with replication factor {replication}");
    report.tell(Need::Rights, Answer::Ok(found))?;
    match Trial::new(cluster.kafka(), name, replication, limit) {
        Ok(trial) => Ok(Some(trial)),
        Err(error) => report.tell(Need::Topics, Answer::Missing(error.to_string())).map(|_| None),
    }
}

fn brokers(kafka: &ClientConfig, limit: Duration) -> Result<String, String> {
    let client = kafka.create::<BaseConsumer>();
    let asked = client.and_then(|client| client.fetch_metadata(None, limit));
    let brokers = asked.map_err(|error| error.to_string())?.brokers().len();
    Ok(brokers.to_string())
}

/// Whether there was a topic to ask these questions with.
async fn ask_for_records<W: Write>(trial: &Trial, report: &mut Report<W>) -> io::Result<bool> {
    if let Err(why) = trial.make().await {
        report.tell(Need::Topics, Answer::Missing(why))?;
        return Ok(false);
    }
    if !report.tell(Need::Topics, made(trial).await)? {
        return Ok(true);
    }
    let (retention, in_sync) = match trial.settings().await {
        Ok(settings) => {
            let value = |name| settings.get(name).and_then(|entry| entry.value.clone());
            (value("retention.ms"), value("min.insync.replicas"))
        }
        Err(why) => {
            report.tell(Need::Retention, Answer::Missing(why))?;
            return Ok(true);
        }
    };
    report.tell(Need::Retention, kept_as_asked(retention.as_deref()))?;
    let in_sync = in_sync.and_then(|text| text.parse().ok()).unwrap_or(1);
    if !report.tell(Need::Writing, records::write(trial, in_sync).await)? {
        return Ok(true);
    }
    ask_for_old_records(trial, report).await?;
    report.tell(Need::Groups, groups::live(trial).await)?;
    report.tell(Need::Transactions, records::write_in_a_transaction(trial).await)?;
    report.tell(Need::KafkaClock, clock_of_kafka(trial).await)?;
    Ok(true)
}

async fn made(trial: &Trial) -> Result<String, String> {
    trial.be_ready().await?;
    trial.is_kept_as_asked()?;
    trial.grow().await
}

async fn ask_for_old_records<W: Write>(trial: &Trial, report: &mut Report<W>) -> io::Result<()> {
    let old = report.tell(Need::Timestamps, records::write_old(trial).await)?;
    let held_back = records::write_large(trial).await;
    let large = report.tell(Need::Size, held_back.clone().map(|_| "taken".to_owned()))?;
    if let Ok(held_back) = held_back {
        report.tell(Need::Pace, records::pace(held_back, trial.limit))?;
    }
    if old && large {
        report.tell(Need::Reading, records::read(trial).await)?;
        report.tell(Need::Times, records::find_by_time(trial))?;
        report.tell(Need::Deleting, records::delete(trial).await)?;
    }
    Ok(())
}

fn kept_as_asked(retention: Option<&str>) -> Result<String, String> {
    match retention {
        Some("-1") => Ok("kept as asked".to_owned()),
        found => Err(format!(
            "the topic was given retention.ms={}, and flights of 2013 would soon be deleted; ask who \
             runs it for topics that keep their records",
            found.unwrap_or("nothing that is told")
        )),
    }
}

async fn clock_of_kafka(trial: &Trial) -> Answer {
    if let Err(why) = trial.make_for_the_clock().await {
        return Answer::Note(format!("not known: a topic with message.timestamp.type {why}"));
    }
    let before_ms = clock::now_ms();
    match records::brokers_time_ms(trial).await {
        Ok(ms) => clock::compare(before_ms, ms, clock::now_ms()),
        Err(why) => Answer::Note(format!("not known: {why}")),
    }
}
