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
        // See `Batch::retain`. Dead letters are on their topic already; only flights are given up.
        todo!("step 6: follow the rebalances, {} reads held", self.held.len())
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
        // Two effects. What is lost if the program dies between them, in either order?
        // The place to commit is behind the last record, for each partition that the batch has
        // records of. `TopicPartitionList` holds them; `CommitMode` decides whether anyone waits.
        // A commit that waits holds its thread: `tokio::task::spawn_blocking`.
        todo!("step 6: write and commit {} reads", batch.len())
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
    // Who may commit, and who does by default?
    todo!("step 6: make the settings of a consumer of {}", config.topic)
}

/// Writes flights into `processed_events` with one statement: all of them, or none.
///
/// # Errors
/// When the database refuses, or is gone.
pub async fn write_flights(database: &Client, flights: &[&ReadFlight]) -> Result<(), TableError> {
    // One statement for the batch. PostgreSQL takes at most 65,535 parameters, and a row has twelve
    // columns. `unnest` makes rows of arrays, `COPY` of a stream. An instant is a `SystemTime` here.
    let _ = database;
    todo!("step 6: write {} flights", flights.len())
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
    // Four things can happen while the job waits: a record, the moment at which the batch is due, a
    // rebalance (`work.rebalances.some()`), the stop. `tokio::select!` waits for all and drops
    // those that did not come. For which of them is that safe? What may therefore never stand in it?
    // Before anything is written: is it still the job's own?
    // With `End::CaughtUp` the end of a partition comes as `KafkaError::PartitionEOF`.
    let _ = (stop, on_progress);
    todo!("step 6: run the job from {} into PostgreSQL", config.topic)
}
