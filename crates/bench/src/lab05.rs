//! Lab 05: the job from Kafka into PostgreSQL beside a bare loop, and the memory of its state.
//!
//! The records are those of `flights-data records`, which Apache Flink was given too
//! (`oracle/speed.csv`): made flights on one partition, out of order by at most 15 minutes, so that
//! nothing is dropped. Their topics are filled once.

use std::error::Error;
use std::time::{Duration, Instant};

use flights::Generator;
use flights::edge_log::FLINK_SEED;
use lab01_solution::event::decode;
use lab01_solution::publish::publish;
use lab01_solution::topic::ready_topic;
use lab02_solution::batch::BatchLimits;
use lab02_solution::job::{End, JobConfig as PassThroughConfig, run as run_pass_through};
use lab04_solution::guard::ALLOWED_AHEAD;
use lab05_solution::board::BoardConfig;
use lab05_solution::corrections::Aggregation;
use lab05_solution::input::Until;
use lab05_solution::job::{JobConfig, run};
use lab05_solution::tables::{DROPPED, RESULTS};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Message, Offset, TopicPartitionList};
use rig::Rig;
use runs::{RunSchema, filled_once};
use tokio_util::sync::CancellationToken;

use crate::alone::{Taken, held_now, in_a_process};
use crate::spec;

/// The records of the bare loop, of the job, and of Flink.
pub const RECORDS: u32 = 1_000_000;
/// The records of lab 02's job, which writes a row for each.
pub const PASSED_THROUGH: u32 = 200_000;
/// Each contender runs so often, in turns with the others, after one round that warms up.
pub const ROUNDS: usize = 5;

const DECODE: &str = "decode";
const JOB: &str = "job";
const PASS_THROUGH: &str = "pass-through";
const STATE: &str = "state";

/// The records that are published at once.
const CHUNK: u32 = 10_000;
const BOUND: Duration = Duration::from_secs(15 * 60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const TIMEOUT: Duration = Duration::from_secs(60);
const WRITE_RECORDS: usize = 500;

/// Keys, and windows that hold each of them.
const STATES: [(u32, u32); 5] =
    [(10, 10_000), (1_000, 100), (100_000, 1), (1_000, 1_000), (1_000_000, 1)];

/// What a kind of process took, in each round.
pub struct Processes {
    /// What they do, in Markdown.
    pub name: &'static str,
    /// Its rounds.
    pub taken: Vec<Taken>,
}

/// The memory of so many keys in each of so many windows.
pub struct State {
    /// The keys.
    pub keys: u32,
    /// The windows.
    pub windows: u32,
    /// What they need, in bytes; `None` where the system does not say.
    pub bytes: Option<u64>,
}

/// Lets the contenders take turns. The bare loop is the first.
///
/// # Errors
/// When a topic cannot be filled, or a process fails.
pub async fn measure(rig: &Rig) -> Result<Vec<Processes>, Box<dyn Error>> {
    for records in [RECORDS, PASSED_THROUGH] {
        fill(rig, records).await?;
    }
    let contenders = [
        (DECODE, "`BaseConsumer`, a bare loop that decodes"),
        (JOB, "lab 05, the job"),
        (PASS_THROUGH, "lab 02, the pass-through, a fifth of the records"),
    ];
    let mut all = contenders.map(|(_, name)| Processes { name, taken: Vec::new() });
    for round in 0..=ROUNDS {
        for ((work, _), processes) in contenders.iter().zip(&mut all) {
            let taken = in_a_process(&[work])?;
            if round > 0 {
                processes.taken.push(taken);
            }
        }
    }
    Ok(all.into())
}

/// Builds each state in a process of its own.
///
/// # Errors
/// When a process fails.
pub fn states() -> Result<Vec<State>, Box<dyn Error>> {
    STATES
        .into_iter()
        .map(|(keys, windows)| {
            let taken = in_a_process(&[STATE, &keys.to_string(), &windows.to_string()])?;
            let bytes = taken.peak.zip(taken.began_with).map(|(peak, before)| peak - before);
            Ok(State { keys, windows, bytes })
        })
        .collect()
}

/// What a process is asked for by [`in_a_process`].
///
/// # Errors
/// When the servers refuse, when a record is missing, or when it is asked for something else.
pub async fn alone(work: &[&str]) -> Result<Taken, Box<dyn Error>> {
    let began_with = held_now();
    let began = Instant::now();
    let records = match work {
        [DECODE] => decode_all(&Rig::up()?)?,
        [JOB] => aggregate(&Rig::up()?).await?,
        [PASS_THROUGH] => pass_through(&Rig::up()?).await?,
        [STATE, keys, windows] => build_state(keys.parse()?, windows.parse()?)?,
        other => return Err(format!("expected a piece of work, found {other:?}").into()),
    };
    Ok(Taken::of_this_process(records, began.elapsed(), began_with))
}

fn topic_of(rig: &Rig, records: u32) -> String {
    format!("{}bench.lab05-{records}", rig.prefix())
}

fn dead_letters_of(topic: &str) -> String {
    format!("{topic}.dead-letters")
}

async fn fill(rig: &Rig, records: u32) -> Result<(), Box<dyn Error>> {
    let (kafka, topic) = (rig.kafka(), topic_of(rig, records));
    let generator = Generator::out_of_order(FLINK_SEED, BOUND)?;
    filled_once(&kafka, &topic, records.into(), async || {
        ready_topic(&kafka, &spec(rig, &topic, 1)).await?;
        for first in (0..records).step_by(CHUNK as usize) {
            let ids = first..records.min(first + CHUNK);
            let flights: Vec<_> = ids.map(|id| generator.flight(id)).collect();
            publish(&kafka, &topic, &flights, &mut |_| {}).await?;
        }
        Ok::<(), Box<dyn Error + Send + Sync>>(())
    })
    .await?;
    ready_topic(&kafka, &spec(rig, &dead_letters_of(&topic), 1)).await?;
    Ok(())
}

/// The client's own consumer with lab 05's settings; decodes, and does nothing else.
fn decode_all(rig: &Rig) -> Result<u64, Box<dyn Error>> {
    let consumer: BaseConsumer = rig
        .kafka()
        .set("group.id", topic_of(rig, RECORDS))
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "error")
        .set("queued.min.messages", "10000")
        .set("queued.max.messages.kbytes", "2048")
        .set("fetch.queue.backoff.ms", "10")
        .create()?;
    let mut partition = TopicPartitionList::new();
    partition.add_partition_offset(&topic_of(rig, RECORDS), 0, Offset::Beginning)?;
    consumer.assign(&partition)?;
    for _ in 0..RECORDS {
        let message = consumer.poll(TIMEOUT).ok_or("the broker gives no record")??;
        std::hint::black_box(decode(message.payload().unwrap_or_default())?);
    }
    Ok(RECORDS.into())
}

fn board() -> BoardConfig {
    BoardConfig {
        window: HOUR,
        bound: BOUND,
        allowed_lateness: Duration::ZERO,
        idle_after: None,
        allowed_ahead: ALLOWED_AHEAD,
    }
}

fn write_limits() -> BatchLimits {
    let items = WRITE_RECORDS.try_into().expect("it is not 0");
    BatchLimits { items, age: Duration::from_secs(1) }
}

/// Lab 05's job, windows of one hour.
async fn aggregate(rig: &Rig) -> Result<u64, Box<dyn Error>> {
    let schema = RunSchema::of_run(rig, "bench").await?;
    schema.empty(&[RESULTS, DROPPED]).await?;
    let topic = topic_of(rig, RECORDS);
    let config = JobConfig {
        kafka: rig.kafka(),
        dead_letter_topic: dead_letters_of(&topic),
        topic,
        database: schema.url().parse()?,
        board: board(),
        write: write_limits(),
        until: Until::TheEnd,
    };
    let done = run(&config, &CancellationToken::new(), &mut |_| {}).await?;
    if done.read != u64::from(RECORDS) || done.counts.dropped.total() > 0 {
        return Err(format!("expected {RECORDS} records and none dropped, found {done:?}").into());
    }
    Ok(done.read)
}

/// Lab 02's job, each record a row, in a group that nobody was in before.
async fn pass_through(rig: &Rig) -> Result<u64, Box<dyn Error>> {
    let schema = RunSchema::of_run(rig, "bench").await?;
    schema.empty(&["processed_events"]).await?;
    let topic = topic_of(rig, PASSED_THROUGH);
    let config = PassThroughConfig {
        kafka: rig.kafka(),
        dead_letter_topic: dead_letters_of(&topic),
        group: format!("{topic}.{}", std::process::id()),
        topic,
        database: schema.url().parse()?,
        batch: write_limits(),
        end: End::CaughtUp,
    };
    let done = run_pass_through(&config, &CancellationToken::new(), &mut |_| {}).await?;
    if done.written != u64::from(PASSED_THROUGH) {
        return Err(format!("expected {PASSED_THROUGH} rows, found {done:?}").into());
    }
    Ok(done.written)
}

/// One departure of each key in each window; no watermark, so all windows stay open.
fn build_state(keys: u32, windows: u32) -> Result<u64, Box<dyn Error>> {
    let mut aggregation = Aggregation::new(HOUR, Duration::ZERO)?;
    for window in 0..i64::from(windows) {
        for key in 0..keys {
            let start_ms = window * HOUR.as_millis() as i64;
            aggregation.on_record(start_ms, &format!("{key:07}"), 1).map_err(|_| "no window")?;
        }
    }
    std::hint::black_box(&aggregation);
    Ok(u64::from(keys) * u64::from(windows))
}
