//! Given: `cargo run -p lab02` takes a week of flights into PostgreSQL with the code of this lab,
//! and `cargo run -p lab02 member` is one member of a consumer group.
//!
//! Arguments, rig, call, output: all the rest is in the library.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{Write, stdout};
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Args, Parser, Subcommand};
use flights::Week;
use lab01::record::to_record;
use lab01::topic::{Retention, TopicSpec, broker_timeout, ready_topic};
use lab02::batch::BatchLimits;
use lab02::group::{Change, GroupEvent, What};
use lab02::in_flight::Publisher;
use lab02::job::{self, End, JobConfig, Summary};
use lab02::member::{self, MemberConfig};
use lab02::producer::{ProducerLimits, producer_config};
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::TopicPartitionList;
use rig::Rig;
use rig::ending::exit_code;
use runs::{Figures, Filled, LiveLine, RunSchema, counted, filled_once, stop_on_signal};

/// So many records of the run are in flight at a time.
const IN_FLIGHT: NonZeroUsize = NonZeroUsize::new(1_000).expect("it is not 0");

/// The package: a run of the reference answer leaves a learner's own topics and tables alone.
const PACKAGE: &str = env!("CARGO_PKG_NAME");

/// Takes a week of real flights from a topic into the table `processed_events` of PostgreSQL, with
/// the code of lab 02.
///
/// The first run publishes the week, with the producer of this lab, to a topic named after the
/// package and the week, such as `lab02.calm`; later runs find it there. Every run empties its
/// table and reads from the first record on, unless it is to resume. Ctrl-C stops it in good order.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// The week: `calm` (18-24 February 2013) or `storm` (4-10 February 2013)
    #[arg(long, default_value = "calm")]
    week: Week,
    /// Keep the table, and read on behind what the last run has committed
    #[arg(long)]
    resume: bool,
    /// Write a batch when it has so many records
    #[arg(long, value_name = "RECORDS", default_value = "500")]
    batch: NonZeroUsize,
    /// Write a batch so long after its first record
    #[arg(long, value_name = "MS", default_value_t = 1_000)]
    batch_ms: u64,
    /// Go on waiting for records when the topic is read to its end
    #[arg(long)]
    follow: bool,
}

#[derive(Subcommand)]
enum Command {
    Member(Member),
}

/// Reads a topic as one member of a group, and tells what it owns and loses.
///
/// Start a second one in another terminal, with another name, and see the partitions move. Then
/// end one with Ctrl-C, or kill it.
#[derive(Args)]
struct Member {
    /// The member's name
    #[arg(long)]
    name: String,
    /// The topic that the group shares; by default the calm week's, which a first run fills
    #[arg(long)]
    topic: Option<String>,
    /// The consumer group
    #[arg(long, default_value = "members")]
    group: String,
    /// Commit after each so many records
    #[arg(long, value_name = "RECORDS", default_value = "1000")]
    commit_every: NonZeroUsize,
    /// The group gives a member up that said nothing for so long
    #[arg(long, value_name = "MS", default_value_t = 6_000)]
    session_timeout_ms: u64,
    /// Abort after so many records, without a word to the group
    #[arg(long, value_name = "RECORDS")]
    abort_after: Option<u64>,
    /// Print each event as a line of JSON, reads and commits too
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    rig::unfinished::explain_holes("lab02");
    let arguments = Arguments::parse();
    exit_code(match &arguments.command {
        Some(Command::Member(member)) => run_member(member, &mut stdout()).await,
        None => run(&arguments, &mut stdout()).await,
    })
}

async fn run(arguments: &Arguments, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let rig = Rig::up()?;
    let kafka = rig.kafka();
    let stop = stop_on_signal()?;
    let topic = format!("{}{PACKAGE}.{}", rig.prefix(), arguments.week.name());
    let records = fill(&rig, &topic, arguments.week, out).await?;

    let config = JobConfig {
        kafka,
        dead_letter_topic: format!("{topic}.dead-letters"),
        group: format!("{topic}.job"),
        topic,
        database: open_schema(&rig, arguments).await?.url().parse()?,
        batch: BatchLimits {
            items: arguments.batch,
            age: Duration::from_millis(arguments.batch_ms),
        },
        end: if arguments.follow { End::Never } else { End::CaughtUp },
    };
    ready_topic(&config.kafka, &spec(&rig, &config.dead_letter_topic, 1)).await?;
    if !arguments.resume {
        forget_offsets(&config).await?;
    }

    let mut next_offsets = committed_offsets(&config)?;
    let mut line = LiveLine::begin(arguments.week.title(), Some(records));
    let mut summary = Summary::default();
    let outcome = job::run(&config, &stop, &mut |now| {
        summary = now.summary;
        next_offsets.extend(&now.next_offsets);
        show(&summary, lag(records, &next_offsets), |figures| line.show(figures));
    })
    .await;
    summary = *outcome.as_ref().unwrap_or(&summary);
    show(&summary, lag(records, &next_offsets), |figures| line.end(figures));
    outcome?;

    let schema = rig.schema_name(&PACKAGE.replace('-', "_"));
    writeln!(
        out,
        "{} read: {} in {schema}.processed_events, {} on {}",
        counted(summary.read, "record"),
        counted(summary.written, "row"),
        counted(summary.dead_letters, "dead letter"),
        config.dead_letter_topic
    )?;
    writeln!(out, "\nLook: make psql, then SELECT * FROM {schema}.processed_events LIMIT 5;")?;
    Ok(())
}

fn show(summary: &Summary, lag: u64, show: impl FnOnce(&Figures<'_>)) {
    let counters = [("rows", summary.written), ("dead letters", summary.dead_letters)];
    show(&Figures { read: summary.read, lag, counters: &counters });
}

/// What the topic has beyond the next offset of each partition. Its offsets begin with 0.
fn lag(records: u64, next_offsets: &BTreeMap<i32, i64>) -> u64 {
    let read_to: i64 = next_offsets.values().sum();
    records.saturating_sub(read_to.unsigned_abs())
}

/// Where the group reads on: the offsets that it has committed.
fn committed_offsets(config: &JobConfig) -> Result<BTreeMap<i32, i64>, KafkaError> {
    let consumer: BaseConsumer = config.kafka.clone().set("group.id", &config.group).create()?;
    let timeout = broker_timeout(&config.kafka);
    let mut partitions = TopicPartitionList::new();
    for topic in consumer.fetch_metadata(Some(&config.topic), timeout)?.topics() {
        for partition in topic.partitions() {
            partitions.add_partition(topic.name(), partition.id());
        }
    }
    let committed = consumer.committed_offsets(partitions, timeout)?;
    let next = committed.elements().into_iter().filter_map(|partition| {
        Some((partition.partition(), partition.offset().to_raw().filter(|next| *next >= 0)?))
    });
    Ok(next.collect())
}

/// Fills the week's topic, unless an earlier run has, and says how many records it has.
async fn fill(
    rig: &Rig,
    topic: &str,
    week: Week,
    out: &mut impl Write,
) -> Result<u64, Box<dyn Error>> {
    let flights = week.load().departed;
    let records = flights.len() as u64;
    let kafka = rig.kafka();
    let filled = filled_once(&kafka, topic, records, async || {
        ready_topic(&kafka, &spec(rig, topic, 3)).await?;
        let producer = producer_config(&kafka, &ProducerLimits::default()).create()?;
        let mut publisher = Publisher::new(producer, topic, IN_FLIGHT);
        for flight in &flights {
            if publisher.send(to_record(flight)?.into()).await.is_err() {
                break;
            }
        }
        match publisher.close().await.not_delivered.into_iter().next() {
            Some(failed) => Err(Box::<dyn Error + Send + Sync>::from(failed)),
            None => Ok(()),
        }
    })
    .await?;
    let by_whom = match filled {
        Filled::Now => "published by this run",
        Filled::Before => "published by an earlier run",
    };
    writeln!(out, "{} on {topic}, {by_whom}", counted(records, "record"))?;
    Ok(records)
}

fn spec(rig: &Rig, topic: &str, partitions: i32) -> TopicSpec {
    let (name, replication) = (topic.to_owned(), rig.replication());
    TopicSpec { name, partitions, replication, retention: Retention::Forever }
}

/// The schema of this lab, its table empty unless the run is to resume.
async fn open_schema(rig: &Rig, arguments: &Arguments) -> Result<RunSchema, Box<dyn Error>> {
    let schema = RunSchema::of_run(rig, &PACKAGE.replace('-', "_")).await?;
    if !arguments.resume {
        schema.empty(&["processed_events"]).await?;
    }
    Ok(schema)
}

/// Removes the group with its offsets, so that the job begins with the first record; fine when
/// there is none. The broker refuses while another run is a member of it.
async fn forget_offsets(config: &JobConfig) -> Result<(), Box<dyn Error>> {
    use RDKafkaErrorCode::{
        CoordinatorLoadInProgress, CoordinatorNotAvailable, GroupIdNotFound, NotCoordinator,
    };

    /// How long a broker that has just started may take to load what it knows of groups.
    const LOADING_TIMEOUT: Duration = Duration::from_secs(10);
    const ASK_EVERY: Duration = Duration::from_millis(50);

    let admin: AdminClient<DefaultClientContext> = config.kafka.create()?;
    let group = &config.group;
    let until = Instant::now() + LOADING_TIMEOUT;
    loop {
        let answers = admin.delete_groups(&[group], &AdminOptions::new()).await?;
        let refused = answers.into_iter().find_map(|answer| answer.err().map(|(_, code)| code));
        match refused {
            None | Some(GroupIdNotFound) => return Ok(()),
            Some(CoordinatorLoadInProgress | CoordinatorNotAvailable | NotCoordinator)
                if Instant::now() < until =>
            {
                tokio::time::sleep(ASK_EVERY).await;
            }
            Some(code) => {
                return Err(format!("cannot forget the offsets of group `{group}`: {code}").into());
            }
        }
    }
}

async fn run_member(arguments: &Member, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let rig = Rig::up()?;
    let mut kafka = rig.kafka();
    let session_timeout_ms = arguments.session_timeout_ms;
    kafka.set("session.timeout.ms", session_timeout_ms.to_string());
    // A member that misses one of its heartbeats is not to be given up.
    kafka.set("heartbeat.interval.ms", (session_timeout_ms / 6).to_string());
    let calm = || format!("{}{PACKAGE}.{}", rig.prefix(), Week::Calm.name());
    let config = MemberConfig {
        kafka,
        topic: arguments.topic.clone().unwrap_or_else(calm),
        group: rig.own_name(&arguments.group),
        name: arguments.name.clone(),
        commit_every: arguments.commit_every,
    };
    let stop = stop_on_signal()?;
    let (mut records, mut printed) = (0, Ok(()));
    member::run(&config, &stop, &mut |event| {
        if let Err(error) = print_event(out, &event, arguments.json) {
            printed = Err(error);
            stop.cancel();
        }
        records += u64::from(matches!(event.what, What::Read { .. }));
        if arguments.abort_after == Some(records) {
            std::process::abort();
        }
    })
    .await?;
    Ok(printed?)
}

fn print_event(out: &mut impl Write, event: &GroupEvent, as_json: bool) -> std::io::Result<()> {
    if as_json {
        let line = serde_json::to_string(event).expect("an event holds only text and numbers");
        return writeln!(out, "{line}");
    }
    let GroupEvent { member, what } = event;
    match what {
        What::Rebalanced(Change::Assigned(new)) => writeln!(out, "{member} owns {new:?}"),
        What::Rebalanced(Change::Revoked(old)) => writeln!(out, "{member} loses {old:?}"),
        What::Rebalanced(Change::Failed(reason)) => writeln!(out, "{member}: {reason}"),
        What::Left => writeln!(out, "{member} has left"),
        What::Read { .. } | What::Committed | What::Killed => Ok(()),
    }
}
