//! Step 7: the job, from a topic to a table.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::StreamConsumer;
use rdkafka::error::KafkaError;
use thiserror::Error;
use tokio_postgres::{Client, Config, NoTls};

use crate::broker::{Bounds, BrokerError};
use crate::guarantee::{Effects, Record};
use crate::progress::Offsets;
use crate::sink::{Row, SinkError, in_one_sentence};
use crate::start::{Start, StartError};

/// How long a poll waits for its first record.
pub const POLL_WAIT: Duration = Duration::from_millis(100);

// ANCHOR: job_config
/// What a job needs to know.
#[derive(Debug, Clone)]
pub struct JobConfig {
    /// What its Kafka clients start from.
    pub kafka: ClientConfig,
    /// The topic that it reads.
    pub topic: String,
    /// The group whose offsets it commits. It reads all partitions alone and is no member.
    pub group: String,
    /// The database. The tables are in the first schema of its search path.
    pub database: Config,
    /// Where it begins.
    pub start: Start,
    /// How many records a turn holds at most.
    pub batch_records: usize,
}
// ANCHOR_END: job_config

/// When a job ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// When it has read all that the topic held at its start. Where the log ends in a transaction's
    /// marker, or compaction took its last records, that is never seen.
    TheEnd,
    /// Never: it waits for further records.
    Stopped,
}

/// Why a job stopped before its end. What it had committed is in the table.
#[derive(Debug, Error)]
pub enum JobError {
    /// It is not known where to begin.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The broker could not be asked.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// A poll or a commit failed. This job ends at a lost connection too, which lab 02's sat out:
    /// whoever starts it again reads on from the commit.
    #[error("topic `{topic}`: {source}")]
    Kafka {
        /// The topic.
        topic: String,
        /// The client's reason.
        source: KafkaError,
    },
    /// Records that were still to be read are no longer there.
    #[error(
        "topic `{topic}`: records were deleted before they were read; start at `earliest` to go \
         on without them"
    )]
    Gone {
        /// The topic.
        topic: String,
    },
    /// A member of the group is alive, and the broker takes commits from members alone.
    #[error("group `{group}` is in use: stop its members first")]
    InUse {
        /// The group.
        group: String,
    },
    /// A record that is no flight. Lab 02 puts it aside; this job stops and commits nothing of it.
    #[error("topic `{topic}`, partition {partition}, offset {offset}: {reason}")]
    BadRecord {
        /// The topic.
        topic: String,
        /// The record's partition.
        partition: i32,
        /// Its place in the partition.
        offset: i64,
        /// What is wrong with it.
        reason: String,
    },
    /// The rows could not be written.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// The database cannot be reached.
    #[error("cannot reach the database: {}", in_one_sentence(.0))]
    Database(tokio_postgres::Error),
}

/// The effects of a job that reads a topic and writes the table `processed_events`.
pub struct KafkaToTable {
    consumer: StreamConsumer,
    database: Client,
    topic: String,
    group: String,
    batch_records: usize,
    /// The rows that were not in the table before.
    new_rows: u64,
    /// The next record to be polled, by partition.
    position: Offsets,
    /// What the topic held when the job was opened.
    bounds: BTreeMap<i32, Bounds>,
}

/// What a job has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Done {
    /// The records that it read and wrote.
    pub records: usize,
    /// The rows among them that were not in the table before.
    pub new_rows: u64,
}

impl KafkaToTable {
    /// Makes the tables, resolves the start, and takes all partitions of the topic from there.
    ///
    /// The consumer commits what it is told to commit, when it is told, and nothing else. Where a
    /// record is no longer there, it says so and does not jump.
    ///
    /// # Errors
    /// When topic or database cannot be used, or the start is not there.
    pub async fn open(config: &JobConfig) -> Result<Self, JobError> {
        // 1. `connect` and `ensure_tables`.
        // 2. Where each partition ends, and where this job begins: `Outsider` and `resolve`.
        // 3. A consumer that commits only when it is told to. Which setting is on unless you switch it
        //    off? And where does a consumer go whose offset is gone, unless you say otherwise?
        // 4. `assign`, not `subscribe`: this job reads all partitions and is no member of its group.
        let _ = connect;
        todo!("step 7: open {} at {:?}", config.topic, config.start)
    }

    /// Whether all is read that the topic held when the job was opened.
    pub fn is_at_the_end(&self) -> bool {
        self.bounds.iter().all(|(partition, bounds)| {
            self.position.get(partition).is_some_and(|position| *position >= bounds.end)
        })
    }
}

impl Effects for KafkaToTable {
    type Row = Row;
    type Error = JobError;

    /// Waits for the first record, for [`POLL_WAIT`] at most, and takes with it what has arrived
    /// already, up to the size of a batch.
    async fn poll(&mut self) -> Result<Vec<Record>, JobError> {
        // The first record may take a while, the others must not. `tokio::time::timeout` waits for at
        // most so long; `now_or_never` of `futures::FutureExt` does not wait at all.
        // Which error says that the offset is gone, now that the client may not jump?
        // `is_at_the_end` looks at `self.position`. Who moves it?
        let _ = (&self.consumer, POLL_WAIT);
        todo!("step 7: poll up to {} records", self.batch_records)
    }

    fn process(&mut self, record: &Record) -> Result<Row, JobError> {
        // Lab 01 has the strict reader.
        todo!("step 7: make a row of the record at {}@{}", record.partition, record.offset)
    }

    async fn write(&mut self, rows: &[Row]) -> Result<(), JobError> {
        // Step 4. `new_rows` counts what was not there before.
        let _ = (&self.database, self.new_rows);
        todo!("step 7: write {} rows of {}", rows.len(), self.topic)
    }

    /// Blocks its thread until the broker has answered.
    async fn commit(&mut self, next: &Offsets) -> Result<(), JobError> {
        // When this returns, the broker has the offsets. Step 6 met the error of a group in use.
        todo!("step 7: commit {next:?} for {}", self.group)
    }
}

/// Runs the job: every record at least once, each row once. `go_on` is asked behind each turn, with
/// what is done so far; where it says no, the job ends. What it was told to do until then is
/// written and committed.
///
/// # Errors
/// When an effect fails. What is not committed is read again by the next run.
pub async fn run(
    config: &JobConfig,
    until: Until,
    go_on: &mut dyn FnMut(Done) -> bool,
) -> Result<Done, JobError> {
    // Turns of step 2, from `KafkaToTable::open` on. Which of the two guarantees? The table takes care
    // of the other half.
    let _ = go_on;
    todo!("step 7: run the job on {} until {until:?}", config.topic)
}

/// A connection to the database, which ends when its client is dropped.
async fn connect(database: &Config) -> Result<Client, JobError> {
    let (client, connection) = database.connect(NoTls).await.map_err(JobError::Database)?;
    tokio::spawn(connection);
    Ok(client)
}
