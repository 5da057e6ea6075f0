//! `make bench`: the reference answers' producer and consumers against bare loops with the same
//! settings, on the same topic, in one run; then lab 05's job. Prints tables, and writes them with
//! a chart for the book.

use std::error::Error;
use std::num::NonZeroUsize;
use std::path::Path;

use flights::Generator;
use lab01_solution::record::to_record;
use lab01_solution::topic::{Retention, TopicSpec, ready_topic};
use lab02_solution::record::Record;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rig::Rig;
use runs::RunSchema;

use crate::alone::ALONE;
use crate::clients::Ground;
use crate::job_report::JobReport;
use crate::measure::Run;
use crate::pure::target_folder;
use crate::report::{Contender, Group, Report};

mod alone;
mod clients;
mod job_report;
mod lab05;
mod measure;
mod pure;
mod report;

/// The partitions of the topics, as in the labs.
const PARTITIONS: i32 = 3;
/// The records of one run.
const RECORDS: u32 = 200_000;
/// Each contender runs so often, in turns with the others; the figures are medians.
const ROUNDS: usize = 7;
/// In flight at a time, as `cargo run -p lab02` has it.
const FEW_IN_FLIGHT: NonZeroUsize = NonZeroUsize::new(1_000).expect("it is not 0");
/// In flight at a time: as many as the client's own queue takes.
const MANY_IN_FLIGHT: NonZeroUsize = NonZeroUsize::new(10_000).expect("it is not 0");
/// The records that a turn of lab 03's job holds at most.
const BATCH_RECORDS: usize = 500;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match &arguments[..] {
        [] => all().await,
        [ALONE, work @ ..] => {
            println!("{}", serde_json::to_string(&lab05::alone(work).await?)?);
            Ok(())
        }
        other => Err(format!("expected no arguments, found {other:?}").into()),
    }
}

async fn all() -> Result<(), Box<dyn Error>> {
    let rig = Rig::up()?;
    let schema = RunSchema::of_run(&rig, "bench").await?;
    let name = |purpose| format!("{}bench.{purpose}.{}", rig.prefix(), std::process::id());
    let mut kafka = rig.kafka();
    // TCP holds a small piece back until the one before is acknowledged, which may take 40 ms. A
    // loop that waits for room in its queue meets that each time.
    kafka.set("socket.nagle.disable", "true");
    let mut consumer = kafka.clone();
    // A consumer that is slower than the broker lets its queue fill up, and the client then fetches
    // nothing for a second. Runs of a second would show that alone.
    consumer.set("fetch.queue.backoff.ms", "1");
    let ground = |topic: String| Ground {
        kafka: kafka.clone(),
        consumer: consumer.clone(),
        database: schema.url().to_owned(),
        group: format!("{topic}.group"),
        topic,
        records: records(),
    };
    let to_fill = ground(name("to-fill"));
    let filled = ground(name("filled"));
    for ground in [&to_fill, &filled] {
        ready_topic(&ground.kafka, &spec(&rig, &ground.topic, PARTITIONS)).await?;
    }
    let measured = measure(&to_fill, &filled).await;
    delete(&rig.kafka(), &[&to_fill.topic, &filled.topic]).await?;

    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = target_folder()?;
    let report = Report {
        groups: measured?,
        pure: pure::read(&target, &pure::CLIENTS)?,
        job: JobReport {
            to_windows: pure::read(&target, &pure::TO_WINDOWS)?,
            by_keys: pure::read(&target, &pure::BY_KEYS)?,
            processes: lab05::measure(&rig).await?,
            flink: job_report::Flink::read(&root)?,
            states: lab05::states()?,
        },
    };
    println!("{}\n{}", report.table(), report.job.tables());
    report.write(&root)?;
    Ok(())
}

/// Fills one topic again and again, then reads the other, which is filled once. The contenders
/// take turns, so that what disturbs the machine disturbs all of them. The first round warms up.
async fn measure(to_fill: &Ground, filled: &Ground) -> Result<Vec<Group>, Box<dyn Error>> {
    let mut bare = Contender::new("`ThreadedProducer`, a bare loop");
    let mut few = Contender::new("lab 02, `Publisher`, 1,000 in flight");
    let mut many = Contender::new("lab 02, `Publisher`, 10,000 in flight");
    for round in 0..=ROUNDS {
        let runs = [
            (&mut bare, clients::bare_producer(to_fill)?),
            (&mut few, clients::publisher(to_fill, FEW_IN_FLIGHT).await?),
            (&mut many, clients::publisher(to_fill, MANY_IN_FLIGHT).await?),
        ];
        keep(round, runs)?;
    }
    let producers = Group { title: "producers", contenders: vec![bare, few, many] };

    clients::bare_producer(filled)?;
    let mut bare = Contender::new("`BaseConsumer`, a bare loop");
    let mut decoding = Contender::new("`BaseConsumer`, a bare loop that decodes");
    let mut lab02 = Contender::new("lab 02, `consume`");
    let mut lab03 = Contender::new("lab 03, `poll` and `process`");
    for round in 0..=ROUNDS {
        let runs = [
            (&mut bare, clients::bare_consumer(filled, false)?),
            (&mut decoding, clients::bare_consumer(filled, true)?),
            (&mut lab02, clients::consume_loop(filled).await?),
            (&mut lab03, clients::poll_loop(filled, BATCH_RECORDS).await?),
        ];
        keep(round, runs)?;
    }
    let consumers = Group { title: "consumers", contenders: vec![bare, decoding, lab02, lab03] };
    Ok(vec![producers, consumers])
}

/// Keeps the runs of a round, unless it is the first.
fn keep<const N: usize>(round: usize, runs: [(&mut Contender, Run); N]) -> Result<(), String> {
    for (contender, run) in runs {
        if run.records != u64::from(RECORDS) {
            let name = contender.name;
            return Err(format!("{name}: expected {RECORDS} records, found {}", run.records));
        }
        if round > 0 {
            contender.runs.push(run);
        }
    }
    Ok(())
}

fn records() -> Vec<Record> {
    let generator = Generator::in_order(2013);
    let record = |id| to_record(&generator.flight(id)).expect("a made flight is in order").into();
    (0..RECORDS).map(record).collect()
}

fn spec(rig: &Rig, topic: &str, partitions: i32) -> TopicSpec {
    let (name, retention) = (topic.to_owned(), Retention::Forever);
    TopicSpec { name, partitions, replication: rig.replication(), retention }
}

async fn delete(kafka: &ClientConfig, topics: &[&str]) -> Result<(), Box<dyn Error>> {
    let admin: AdminClient<DefaultClientContext> = kafka.create()?;
    for answer in admin.delete_topics(topics, &AdminOptions::new()).await? {
        answer.map_err(|(topic, code)| format!("cannot delete topic `{topic}`: {code}"))?;
    }
    Ok(())
}
