//! What the settings of chapter 02 cost on this machine, as tables for the book.
//!
//! `cargo run --release -p lab02-solution --example settings` measures all; with names behind
//! `--`, only those: `producing`, `queue`, `committing`, `leaving`, `silence`.
//!
//! The figures are those of one broker on the same machine. Compare the rows of one table; don't
//! take a row for what a cluster would do.

mod committing;
mod membership;
mod producing;

use std::env;
use std::error::Error;
use std::process;

use flights::Week;
use lab01::record::to_record;
use lab01::topic::{Retention, TopicSpec, ready_topic};
use lab02_solution::record::Record;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rig::Rig;

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

const TABLES: [&str; 5] = ["producing", "queue", "committing", "leaving", "silence"];

#[tokio::main]
async fn main() -> Outcome {
    let asked: Vec<String> = env::args().skip(1).collect();
    if let [role, topic, group, session_ms] = asked.as_slice()
        && role == "member"
    {
        return membership::be_a_member(&Rig::up()?.kafka(), topic, group, session_ms).await;
    }
    if let Some(unknown) = asked.iter().find(|name| !TABLES.contains(&name.as_str())) {
        return Err(format!("expected some of {}, found `{unknown}`", TABLES.join(", ")).into());
    }
    let is_asked = |name: &str| asked.is_empty() || asked.iter().any(|asked| asked == name);
    let rig = Rig::up()?;
    let kafka = rig.kafka();
    let topic = format!("{}settings-{}", rig.prefix(), process::id());
    let spec = TopicSpec {
        name: topic.clone(),
        partitions: 3,
        replication: rig.replication(),
        retention: Retention::Forever,
    };
    ready_topic(&kafka, &spec).await?;
    let records = flights_of_the_calm_week()?;
    if is_asked("producing") {
        producing::rates(&kafka, &topic, &records).await?;
    }
    if is_asked("queue") {
        producing::full_queues(&records).await?;
    }
    if is_asked("committing") {
        committing::rates(&kafka, &topic, &records).await?;
        committing::who_commits(&kafka, &topic, &records).await?;
    }
    if is_asked("leaving") {
        membership::takeover_times(&kafka, &topic).await?;
    }
    if is_asked("silence") {
        membership::silence(&kafka, &topic, &records).await?;
    }
    remove(&kafka, &topic).await
}

fn flights_of_the_calm_week() -> Result<Vec<Record>, Box<dyn Error + Send + Sync>> {
    let flights = Week::Calm.load().departed;
    flights.iter().map(|flight| Ok(to_record(flight)?.into())).collect()
}

async fn remove(kafka: &ClientConfig, topic: &str) -> Outcome {
    let admin: AdminClient<DefaultClientContext> = kafka.create()?;
    for answer in admin.delete_topics(&[topic], &AdminOptions::new()).await? {
        answer.map_err(|(topic, code)| format!("cannot remove topic `{topic}`: {code}"))?;
    }
    Ok(())
}

/// The middle one of an odd number of figures.
fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
