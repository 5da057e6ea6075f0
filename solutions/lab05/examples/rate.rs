//! How many records the job takes in a second of processor time, and how much memory it needs for
//! that: `cargo run --release -p lab05-solution --example rate`.
//!
//! From a topic with one partition into PostgreSQL, the records of `flights-data records`: made
//! flights, out of order by at most 15 minutes, so that nothing is dropped. Each run is a process of
//! its own, and all that it takes is counted, its start included; Kafka and PostgreSQL are not in
//! it. Linux only: the figures are read from `/proc`. Flink's are in `oracle/speed.csv`.

extern crate lab05_solution as lab05;

use std::error::Error;
use std::fs::read_to_string;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::Parser;
use flights::Generator;
use flights::edge_log::FLINK_SEED;
use lab01::publish::publish;
use lab01::topic::{Retention, TopicSpec, ensure_topic};
use lab02::batch::BatchLimits;
use lab04::guard::ALLOWED_AHEAD;
use lab05::board::BoardConfig;
use lab05::input::Until;
use lab05::job::{JobConfig, run};
use lab05::tables::{DROPPED, RESULTS};
use rdkafka::ClientConfig;
use rig::Rig;
use runs::{RunSchema, filled_once};
use tokio_util::sync::CancellationToken;

/// The records that are published at once.
const CHUNK: u32 = 10_000;
const BOUND: Duration = Duration::from_secs(15 * 60);

/// Measures the job of lab 05.
#[derive(Parser)]
struct Arguments {
    /// How many records
    #[arg(long, default_value_t = 1_000_000)]
    records: u32,
    /// How many runs; the figures are medians
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// One run in this process, and its figures as numbers
    #[arg(long, hide = true)]
    once: bool,
}

/// What one run took, as a whole process.
struct Taken {
    cpu_ms: u64,
    wall_ms: u64,
    peak_kb: u64,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let rig = Rig::up()?;
    let topic = format!("{}lab05-solution.rate-{}", rig.prefix(), arguments.records);
    if arguments.once {
        return once(&rig, &topic, arguments.records).await;
    }
    fill(&rig.kafka(), &topic, arguments.records).await?;
    let mut all = Vec::new();
    for _ in 0..arguments.runs {
        let taken = in_a_process(arguments.records)?;
        let per_cpu_s = u64::from(arguments.records) * 1_000 / taken.cpu_ms.max(1);
        let Taken { cpu_ms, wall_ms, peak_kb } = taken;
        println!(
            "{cpu_ms} ms of processor time, {wall_ms} ms, {peak_kb} kB, {per_cpu_s} records per CPU s"
        );
        all.push(taken);
    }
    let median = |of: fn(&Taken) -> u64| {
        let mut values: Vec<u64> = all.iter().map(of).collect();
        values.sort_unstable();
        values.get(values.len() / 2).copied().unwrap_or_default()
    };
    let (cpu_ms, wall_ms) = (median(|taken| taken.cpu_ms), median(|taken| taken.wall_ms));
    println!(
        "medians of {}: {} records per CPU s, {wall_ms} ms, {} kB at most",
        arguments.runs,
        u64::from(arguments.records) * 1_000 / cpu_ms.max(1),
        median(|taken| taken.peak_kb)
    );
    Ok(())
}

async fn fill(kafka: &ClientConfig, topic: &str, records: u32) -> Result<(), Box<dyn Error>> {
    let generator = Generator::out_of_order(FLINK_SEED, BOUND)?;
    filled_once(kafka, topic, records.into(), async || {
        let name = topic.to_owned();
        let retention = Retention::Forever;
        let spec = TopicSpec { name, partitions: 1, replication: 1, retention };
        ensure_topic(kafka, &spec).await?;
        for first in (0..records).step_by(CHUNK as usize) {
            let ids = first..records.min(first + CHUNK);
            let flights: Vec<_> = ids.map(|id| generator.flight(id)).collect();
            publish(kafka, topic, &flights, &mut |_| {}).await?;
        }
        Ok::<(), Box<dyn Error + Send + Sync>>(())
    })
    .await?;
    let name = format!("{topic}.dead-letters");
    let spec = TopicSpec { name, partitions: 1, replication: 1, retention: Retention::Forever };
    ensure_topic(kafka, &spec).await?;
    Ok(())
}

fn in_a_process(records: u32) -> Result<Taken, Box<dyn Error>> {
    let output = Command::new(std::env::current_exe()?)
        .args(["--once", "--records", &records.to_string()])
        .stderr(Stdio::inherit())
        .output()?;
    let said = String::from_utf8(output.stdout)?;
    let numbers: Vec<u64> = said.split_whitespace().flat_map(str::parse).collect();
    match numbers[..] {
        [cpu_ms, wall_ms, peak_kb] => Ok(Taken { cpu_ms, wall_ms, peak_kb }),
        _ => Err(format!("a run ended with {}, and said `{said}`", output.status).into()),
    }
}

async fn once(rig: &Rig, topic: &str, records: u32) -> Result<(), Box<dyn Error>> {
    let schema = RunSchema::open(rig.database_url(), &rig.schema_name("lab05_rate")).await?;
    schema.empty(&[RESULTS, DROPPED]).await?;
    let config = JobConfig {
        kafka: rig.kafka(),
        topic: topic.to_owned(),
        dead_letter_topic: format!("{topic}.dead-letters"),
        database: schema.url().parse()?,
        board: BoardConfig {
            window: Duration::from_secs(60 * 60),
            bound: BOUND,
            allowed_lateness: Duration::ZERO,
            idle_after: None,
            allowed_ahead: ALLOWED_AHEAD,
        },
        write: BatchLimits {
            items: 500.try_into().expect("it is not 0"),
            age: Duration::from_secs(1),
        },
        until: Until::TheEnd,
    };
    let began = Instant::now();
    let done = run(&config, &CancellationToken::new(), &mut |_| {}).await?;
    let wall_ms = began.elapsed().as_millis();
    if done.read != u64::from(records) || done.counts.dropped.total() > 0 {
        return Err(format!("expected {records} records and none dropped, found {done:?}").into());
    }
    println!("{} {wall_ms} {}", cpu_ms()?, peak_kb()?);
    Ok(())
}

/// The processor time of this process, all of its threads.
fn cpu_ms() -> Result<u64, Box<dyn Error>> {
    // Fields 14 and 15, counted from behind the name, which may hold blanks. A tick is 10 ms.
    let stat = read_to_string("/proc/self/stat")?;
    let behind_name = stat.rsplit_once(')').ok_or("no name in /proc/self/stat")?.1;
    let ticks: u64 =
        behind_name.split_whitespace().skip(11).take(2).flat_map(str::parse::<u64>).sum();
    Ok(ticks * 10)
}

fn peak_kb() -> Result<u64, Box<dyn Error>> {
    let status = read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.ok_or("no VmHWM in /proc/self/status")?.parse()?)
}
