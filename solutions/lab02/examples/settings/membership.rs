//! Groups: how long partitions stand still when a member goes, and what becomes of one that is
//! silent for too long.

use std::env;
use std::num::NonZeroUsize;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use lab02_solution::group::{GroupEvent, What, owners};
use lab02_solution::in_flight::Publisher;
use lab02_solution::member::{self, MemberConfig};
use lab02_solution::producer::{ProducerLimits, producer_config};
use lab02_solution::record::Record;
use rdkafka::ClientConfig;
use rdkafka::consumer::{CommitMode, Consumer, StreamConsumer};
use tokio_util::sync::CancellationToken;

use crate::Outcome;

/// Within this, whatever is awaited comes, or something is broken.
const BOUND: Duration = Duration::from_secs(90);

type History = Arc<Mutex<Vec<GroupEvent>>>;

fn config(
    kafka: &ClientConfig,
    topic: &str,
    group: &str,
    name: &str,
    session: &str,
) -> MemberConfig {
    let mut kafka = kafka.clone();
    kafka.set("session.timeout.ms", session);
    let session_ms: u64 = session.parse().expect("it is a number");
    // The client's default is 3 s; a shorter session asks for more.
    kafka.set("heartbeat.interval.ms", (session_ms / 6).min(3_000).to_string());
    MemberConfig {
        kafka,
        topic: topic.to_owned(),
        group: group.to_owned(),
        name: name.to_owned(),
        commit_every: NonZeroUsize::new(1_000).expect("it is not 0"),
    }
}

/// The other member, in a process of its own, so that it can be killed.
pub async fn be_a_member(kafka: &ClientConfig, topic: &str, group: &str, session: &str) -> Outcome {
    let stop = runs::stop_on_signal()?;
    member::run(&config(kafka, topic, group, "other", session), &stop, &mut |_| {}).await?;
    Ok(())
}

fn other_member(topic: &str, group: &str, session: &str) -> std::io::Result<Child> {
    Command::new(env::current_exe()?)
        .args(["member", topic, group, session])
        .stderr(Stdio::null())
        .spawn()
}

/// From the end of a member until the one that is left owns all partitions.
pub async fn takeover_times(kafka: &ClientConfig, topic: &str) -> Outcome {
    println!("\n| `session.timeout.ms` | leaves | is killed |\n|---|---|---|");
    for session in ["1000", "6000", "45000"] {
        let mut taken = Vec::new();
        for signal in ["-INT", "-KILL"] {
            taken.push(takeover(kafka, topic, session, signal).await?);
        }
        println!("| {session} | {:.1} s | {:.1} s |", taken[0], taken[1]);
    }
    Ok(())
}

async fn takeover(
    kafka: &ClientConfig,
    topic: &str,
    session: &str,
    signal: &str,
) -> Result<f64, Box<dyn std::error::Error + Send + Sync>> {
    let group = format!("{topic}-{session}{signal}");
    let history = History::default();
    let stop = CancellationToken::new();
    let config = config(kafka, topic, &group, "stays", session);
    let heard = Arc::clone(&history);
    let mut note = move |event: GroupEvent| {
        if matches!(event.what, What::Rebalanced(_)) {
            heard.lock().expect("nobody panics").push(event);
        }
    };
    let member = member::run(&config, &stop, &mut note);
    let script = async {
        until(&history, 3).await;
        let mut other = other_member(topic, &group, session)?;
        until_fewer(&history).await;
        let start = Instant::now();
        Command::new("kill").args([signal, &other.id().to_string()]).status()?;
        until(&history, 3).await;
        let taken = start.elapsed();
        other.wait()?;
        stop.cancel();
        Ok::<_, std::io::Error>(taken.as_secs_f64())
    };
    let (member, taken) = tokio::join!(member, script);
    member?;
    Ok(taken?)
}

fn owned(history: &History) -> usize {
    let events = history.lock().expect("nobody panics");
    owners(&events).values().filter(|members| !members.is_empty()).count()
}

async fn until(history: &History, partitions: usize) {
    poll(|| owned(history) == partitions).await;
}

/// The member that stays has some of the partitions: the other one has the rest.
async fn until_fewer(history: &History) {
    poll(|| (1..3).contains(&owned(history))).await;
}

async fn poll(is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + BOUND;
    while !is_so() {
        assert!(Instant::now() < deadline, "the group did not come to rest within {BOUND:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A member works on one record for longer than `max.poll.interval.ms` allows. What does it hear
/// when it commits, and when it asks for the next record?
pub async fn silence(kafka: &ClientConfig, topic: &str, records: &[Record]) -> Outcome {
    let producer = producer_config(kafka, &ProducerLimits::default()).create()?;
    let limit = NonZeroUsize::new(1_000).expect("it is not 0");
    let mut publisher = Publisher::new(producer, topic, limit);
    for record in &records[..100] {
        publisher.send(record.clone()).await?;
    }
    publisher.close().await;
    let consumer: StreamConsumer = kafka
        .clone()
        .set("group.id", format!("{topic}-silence"))
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "earliest")
        .set("session.timeout.ms", "1000")
        .set("heartbeat.interval.ms", "150")
        .set("max.poll.interval.ms", "2000")
        .create()?;
    consumer.subscribe(&[topic])?;
    let message = consumer.recv().await?;
    println!("\n`max.poll.interval.ms=2000`, 4 s of work on one record:");
    thread::sleep(Duration::from_secs(4));
    let committed = consumer.commit_message(&message, CommitMode::Sync);
    println!(
        "- the commit: {}",
        committed.map_or_else(|error| error.to_string(), |()| "taken".into())
    );
    drop(message);
    let next = consumer.recv().await;
    println!(
        "- the next record: {}",
        next.map_or_else(|error| error.to_string(), |_| "came".into())
    );
    let again = consumer.recv().await;
    println!(
        "- the one after that: {}",
        again.map_or_else(|error| error.to_string(), |_| "came".into())
    );
    Ok(())
}
