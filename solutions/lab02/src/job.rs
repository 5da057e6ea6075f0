//! Step 6: from the topic into PostgreSQL, in batches.
//!
//! What the job promises: every record is written or is a dead letter before it is committed. A
//! crash in between means that it is read again; lab 03 is about that.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use lab01::topic::{TopicError, broker_timeout};
use rdkafka::ClientConfig;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::FutureProducer;
use thiserror::Error;
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

use crate::batch::{Batch, BatchLimits};
use crate::dead_letters::{DeadLetterQueue, Read, ReadError, ReadFlight};
use crate::group::Rebalances;
use crate::producer::{ProducerLimits, producer_config};
use crate::table::{self, TableError};

// ANCHOR: config
/// A job, and all that it needs.
#[derive(Clone)]
pub struct JobConfig {
    /// How the brokers are reached.
    pub kafka: ClientConfig,
    /// The topic with the flights.
    pub topic: String,
    /// The topic for what is no flight. It must be there.
    pub dead_letter_topic: String,
    /// The consumer group whose committed offsets say where to read on.
    pub group: String,
    /// The database, and by its search path the schema, of the table `processed_events`.
    pub database: tokio_postgres::Config,
    /// When a batch is written.
    pub batch: BatchLimits,
    /// When the job ends by itself.
    pub end: End,
}

/// When a job ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// When it has read all its partitions to their end. For a job that is alone in its group.
    CaughtUp,
    /// Never.
    Never,
}

/// What became of the records. Always: `read = written + dead_letters + given_up` and the
/// flights that are held. A dead letter that is held counts as a dead letter already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Records that were read.
    pub read: u64,
    /// Flights that the table has.
    pub written: u64,
    /// Records that were no flight and are on the topic of the dead letters.
    pub dead_letters: u64,
    /// Flights that were held and not yet written when their partition was taken away. Its next
    /// owner reads them.
    pub given_up: u64,
}

/// How far a job has come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// What became of the records so far.
    pub summary: Summary,
    /// Flights and dead letters that are read and not yet committed.
    pub held: usize,
    /// For each partition that records came from, the offset of the next one.
    pub next_offsets: BTreeMap<i32, i64>,
    /// The latest trouble of the connection to the brokers, where there was some.
    pub trouble: Option<String>,
}
// ANCHOR_END: config

/// Why a job ended before its end. Everything that it had not committed is read again by the next.
#[derive(Debug, Error)]
pub enum JobError {
    /// The topic cannot be read.
    #[error(transparent)]
    Topic(#[from] TopicError),
    /// Records cannot be read, or put aside.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Rows cannot be written.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The rows are written, but the group has not taken their offsets: the next job writes them
    /// once more.
    #[error("{written} rows are written, but their offsets are not committed: {source}")]
    NotCommitted {
        /// How many rows.
        written: usize,
        /// The broker's reason.
        source: KafkaError,
    },
    /// The group could not share its partitions out.
    #[error("the group's rebalance failed: {reason}")]
    Rebalance {
        /// The client's reason.
        reason: String,
    },
    /// A client could not be made.
    #[error("cannot make a client: {0}")]
    Client(#[from] KafkaError),
}

/// Given: a job at work, and all that it holds open.
pub struct Work {
    /// The job.
    pub config: JobConfig,
    /// Reads the flights.
    pub consumer: Arc<StreamConsumer<Rebalances>>,
    /// What the consumer has heard of rebalances.
    pub rebalances: Rebalances,
    /// Takes what is no flight.
    pub dead_letters: DeadLetterQueue,
    /// Takes the rows.
    pub database: Client,
    /// What is read and not yet committed, in the order of reading.
    pub held: Batch<Read>,
    /// How far the job has come.
    pub progress: Progress,
    /// The partitions that are the job's own, and whether each was read to its end.
    pub at_end: BTreeMap<i32, bool>,
}

impl Work {
    /// Given: opens everything, and checks that topics and table are there.
    ///
    /// # Errors
    /// [`JobError`], before a record is read.
    pub async fn open(config: &JobConfig) -> Result<Work, JobError> {
        let rebalances = Rebalances::default();
        let consumer: StreamConsumer<Rebalances> =
            consumer_config(config).create_with_context(rebalances.clone())?;
        for topic in [&config.topic, &config.dead_letter_topic] {
            check_topic(&consumer, topic, broker_timeout(&config.kafka))?;
        }
        let database = table::connect(&config.database).await?;
        table::ensure_table(&database).await?;

        let limits = ProducerLimits::default();
        let producer: FutureProducer = producer_config(&config.kafka, &limits).create()?;
        let dead_letters = DeadLetterQueue { producer, topic: config.dead_letter_topic.clone() };
        consumer.subscribe(&[&config.topic])?;
        Ok(Work {
            config: config.clone(),
            consumer: Arc::new(consumer),
            rebalances,
            dead_letters,
            database,
            held: Batch::new(config.batch),
            progress: Progress::default(),
            at_end: BTreeMap::new(),
        })
    }

    /// Given: whether every partition of the job's own was read to its end.
    pub fn is_caught_up(&self) -> bool {
        !self.at_end.is_empty() && self.at_end.values().all(|at_end| *at_end)
    }

    /// Given: counts a record that was read, before it is held.
    pub fn count(&mut self, read: &Read) {
        let place = read.place();
        self.progress.summary.read += 1;
        self.progress.next_offsets.insert(place.partition, place.offset + 1);
        self.at_end.insert(place.partition, false);
        if matches!(read, Read::DeadLetter { .. }) {
            self.progress.summary.dead_letters += 1;
        }
    }

    /// Follows what the consumer has heard since the last call. A partition that has come is not
    /// at its end. Of a partition that is revoked nothing may be written or committed any more:
    /// what is held of it is given up, flights are counted, and it is no longer the job's own.
    ///
    /// # Errors
    /// [`JobError::Rebalance`] when a rebalance failed.
    pub fn follow_rebalances(&mut self) -> Result<(), JobError> {
        use crate::group::Change;

        for change in self.rebalances.take() {
            match change {
                Change::Assigned(partitions) => {
                    self.at_end.extend(partitions.into_iter().map(|partition| (partition, false)));
                }
                Change::Revoked(partitions) => {
                    let is_gone = |read: &Read| partitions.contains(&read.place().partition);
                    let flights = |read: &Read| matches!(read, Read::Flight(_));
                    let given_up = &mut self.progress.summary.given_up;
                    self.held.retain(|read| {
                        *given_up += u64::from(is_gone(read) && flights(read));
                        !is_gone(read)
                    });
                    self.at_end.retain(|partition, _| !partitions.contains(partition));
                    self.progress.next_offsets.retain(|p, _| !partitions.contains(p));
                }
                Change::Failed(reason) => return Err(JobError::Rebalance { reason }),
            }
        }
        Ok(())
    }

    /// Writes the flights of a batch, then commits the place behind the last record of each of its
    /// partitions, dead letters included. Never the other way round. An empty batch is no work. Whether
    /// the partitions are still the job's own was asked before.
    ///
    /// # Errors
    /// - [`JobError::Table`]: nothing is committed, and nothing of the batch written where the database
    ///   refused. Where the connection broke, all of it may be there.
    /// - [`JobError::NotCommitted`]: all of it is written. Nothing is committed where the broker refused;
    ///   where no answer came, it may be.
    pub async fn write_and_commit(&mut self, batch: Vec<Read>) -> Result<(), JobError> {
        use rdkafka::consumer::CommitMode;
        use rdkafka::{Offset, TopicPartitionList};

        let flights: Vec<&ReadFlight> = batch.iter().filter_map(Read::flight).collect();
        write_flights(&self.database, &flights).await?;
        let written = flights.len();
        self.progress.summary.written += written as u64;

        let next: BTreeMap<i32, i64> =
            batch.iter().map(|read| (read.place().partition, read.place().offset + 1)).collect();
        let mut offsets = TopicPartitionList::new();
        for (partition, offset) in next {
            offsets.add_partition_offset(&self.config.topic, partition, Offset::Offset(offset))?;
        }
        if offsets.count() == 0 {
            return Ok(());
        }
        // The client waits for the answer with its thread, which others need.
        let consumer = Arc::clone(&self.consumer);
        let commit = move || consumer.commit(&offsets, CommitMode::Sync);
        let committed = tokio::task::spawn_blocking(commit).await.expect("a commit never panics");
        committed.map_err(|source| JobError::NotCommitted { written, source })
    }
}

/// Given: refuses a topic that is not there. It blocks its thread until the broker has answered.
///
/// # Errors
/// When there is no such topic, or the broker refuses or cannot be reached.
fn check_topic(
    consumer: &StreamConsumer<Rebalances>,
    topic: &str,
    timeout: Duration,
) -> Result<(), TopicError> {
    let answer = consumer.fetch_metadata(Some(topic), timeout)?;
    let refused = answer.topics().first().and_then(|found| found.error());
    match refused.map(RDKafkaErrorCode::from) {
        None => Ok(()),
        Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {
            Err(TopicError::Missing { topic: topic.to_owned() })
        }
        Some(code) => Err(TopicError::Refused { topic: topic.to_owned(), code }),
    }
}

/// The settings of the job's consumer: its group, the first record where the group has committed
/// nothing, and no commit but the job's own. With [`End::CaughtUp`] the client says when a
/// partition is read to its end (`enable.partition.eof`).
pub fn consumer_config(config: &JobConfig) -> ClientConfig {
    let mut settings = config.kafka.clone();
    settings
        .set("group.id", &config.group)
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", (config.end == End::CaughtUp).to_string());
    settings
}

/// Writes flights into `processed_events` with one statement: all of them, or none.
///
/// # Errors
/// When the database refuses, or is gone.
pub async fn write_flights(database: &Client, flights: &[&ReadFlight]) -> Result<(), TableError> {
    use std::time::{SystemTime, UNIX_EPOCH};

    // A column each, so that the number of parameters does not grow with the batch: PostgreSQL
    // takes 65,535 of them.
    const INSERT: &str = "
        INSERT INTO processed_events (
            topic, partition, record_offset, departed,
            carrier, flight, tail, origin, dest, distance_miles, scheduled, delay_min
        )
        SELECT * FROM unnest(
            $1::text[], $2::integer[], $3::bigint[], $4::timestamptz[],
            $5::text[], $6::integer[], $7::text[], $8::text[], $9::text[], $10::integer[],
            $11::timestamptz[], $12::integer[]
        )";

    fn column<'a, T>(flights: &[&'a ReadFlight], of: impl Fn(&'a ReadFlight) -> T) -> Vec<T> {
        flights.iter().map(|read| of(read)).collect()
    }
    fn instant(instant_ms: i64) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(instant_ms.unsigned_abs())
    }

    if flights.is_empty() {
        return Ok(());
    }
    database
        .execute(
            INSERT,
            &[
                &column(flights, |read| &*read.place.topic),
                &column(flights, |read| read.place.partition),
                &column(flights, |read| read.place.offset),
                &column(flights, |read| instant(read.timestamp_ms)),
                &column(flights, |read| &*read.flight.carrier),
                &column(flights, |read| i32::from(read.flight.flight)),
                &column(flights, |read| read.flight.tail.as_deref()),
                &column(flights, |read| &*read.flight.origin),
                &column(flights, |read| &*read.flight.dest),
                &column(flights, |read| i32::from(read.flight.distance_miles)),
                &column(flights, |read| instant(read.flight.scheduled_ms)),
                &column(flights, |read| read.flight.delay_min),
            ],
        )
        .await?;
    Ok(())
}

/// Runs the job until its end or until it is stopped. Either way it then writes and commits what
/// it holds, and leaves the group.
///
/// While it writes, it reads nothing: a slow database slows the reading, and at most one batch is
/// held.
///
/// `on_progress` is called after each record, each change of its partitions and each batch but the
/// last, which is in the summary.
///
/// # Errors
/// [`JobError`]; what was not committed then is read again by the next job.
pub async fn run(
    config: &JobConfig,
    stop: &CancellationToken,
    on_progress: &mut dyn FnMut(&Progress),
) -> Result<Summary, JobError> {
    use rdkafka::error::KafkaError::PartitionEOF;
    use tokio::time::{Instant, sleep_until};

    use crate::dead_letters::{is_reconnecting, read};
    use crate::record::ReceivedRecord;

    async fn is_due(at: Option<Instant>) {
        match at {
            Some(at) => sleep_until(at).await,
            None => std::future::pending().await,
        }
    }

    let mut work = Work::open(config).await?;
    while !(config.end == End::CaughtUp && work.is_caught_up()) {
        // Only waiting may be broken off. A record that has come is dealt with to its end, below.
        let received = tokio::select! {
            received = work.consumer.recv() => {
                Some(received.map(|message| ReceivedRecord::of_message(&message)))
            }
            () = is_due(work.held.due()) => None,
            () = work.rebalances.some() => None,
            () = stop.cancelled() => break,
        };
        work.follow_rebalances()?;
        let complete = match received {
            Some(Ok(received)) => {
                let read = read(&work.dead_letters, received).await?;
                work.count(&read);
                work.held.push(read, Instant::now())
            }
            Some(Err(PartitionEOF(partition))) => {
                work.at_end.insert(partition, true);
                None
            }
            Some(Err(error)) if is_reconnecting(&error) => {
                work.progress.trouble = Some(error.to_string());
                None
            }
            Some(Err(error)) => return Err(ReadError::from(error).into()),
            None => work.held.take_due(Instant::now()),
        };
        if let Some(batch) = complete {
            work.write_and_commit(batch).await?;
        }
        work.progress.held = work.held.len();
        on_progress(&work.progress);
    }
    work.follow_rebalances()?;
    let rest = work.held.take();
    work.write_and_commit(rest).await?;
    Ok(work.progress.summary)
}
