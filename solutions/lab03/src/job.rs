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
        use crate::broker::{Outsider, partition_list};
        use crate::sink::ensure_tables;
        use crate::start::resolve;
        use rdkafka::consumer::Consumer;

        let JobConfig { kafka, topic, group, start, .. } = config;
        let database = connect(&config.database).await?;
        ensure_tables(&database).await?;

        let outsider = Outsider::new(kafka, topic, group)?;
        let bounds = outsider.bounds()?;
        let position = resolve(&outsider, *start)?;
        let failed = |source| JobError::Kafka { topic: topic.clone(), source };
        let consumer: StreamConsumer = kafka
            .clone()
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .set("auto.offset.reset", "error")
            .create()
            .map_err(failed)?;
        // Numbers, resolved now: `Offset::End` would be resolved at the first fetch.
        let assignment = partition_list(topic, &position).map_err(failed)?;
        consumer.assign(&assignment).map_err(failed)?;
        Ok(Self {
            consumer,
            database,
            topic: topic.clone(),
            group: group.clone(),
            batch_records: config.batch_records.max(1),
            new_rows: 0,
            position,
            bounds,
        })
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
        use futures::FutureExt;
        use rdkafka::Message;
        use rdkafka::error::RDKafkaErrorCode;

        let mut records = Vec::new();
        while records.len() < self.batch_records {
            let next = if records.is_empty() {
                tokio::time::timeout(POLL_WAIT, self.consumer.recv()).await.ok()
            } else {
                self.consumer.recv().now_or_never()
            };
            let Some(answer) = next else { break };
            let message = answer.map_err(|source| match source.rdkafka_error_code() {
                Some(RDKafkaErrorCode::AutoOffsetReset) => {
                    JobError::Gone { topic: self.topic.clone() }
                }
                _ => JobError::Kafka { topic: self.topic.clone(), source },
            })?;
            self.position.insert(message.partition(), message.offset() + 1);
            records.push(Record {
                partition: message.partition(),
                offset: message.offset(),
                timestamp_ms: message.timestamp().to_millis().unwrap_or(-1),
                payload: message.payload().unwrap_or_default().to_vec(),
            });
        }
        Ok(records)
    }

    fn process(&mut self, record: &Record) -> Result<Row, JobError> {
        use lab01::event::decode;

        let Record { partition, offset, timestamp_ms, ref payload } = *record;
        let flight = decode(payload).map_err(|error| JobError::BadRecord {
            topic: self.topic.clone(),
            partition,
            offset,
            reason: error.to_string(),
        })?;
        Ok(Row { partition, offset, departed_ms: timestamp_ms, flight })
    }

    async fn write(&mut self, rows: &[Row]) -> Result<(), JobError> {
        use crate::sink::write_records;

        self.new_rows += write_records(&self.database, &self.topic, rows).await?;
        Ok(())
    }

    /// Blocks its thread until the broker has answered.
    async fn commit(&mut self, next: &Offsets) -> Result<(), JobError> {
        use crate::broker::partition_list;
        use rdkafka::consumer::{CommitMode, Consumer};
        use rdkafka::error::RDKafkaErrorCode;

        let failed = |source: KafkaError| match source.rdkafka_error_code() {
            Some(RDKafkaErrorCode::UnknownMemberId) => {
                JobError::InUse { group: self.group.clone() }
            }
            _ => JobError::Kafka { topic: self.topic.clone(), source },
        };
        let list = partition_list(&self.topic, next).map_err(failed)?;
        self.consumer.commit(&list, CommitMode::Sync).map_err(failed)
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
    use crate::guarantee::at_least_once;

    let mut job = KafkaToTable::open(config).await?;
    let mut done = Done::default();
    while until == Until::Stopped || !job.is_at_the_end() {
        done.records += at_least_once(&mut job).await?;
        done.new_rows = job.new_rows;
        if !go_on(done) {
            break;
        }
    }
    Ok(done)
}

/// A connection to the database, which ends when its client is dropped.
async fn connect(database: &Config) -> Result<Client, JobError> {
    let (client, connection) = database.connect(NoTls).await.map_err(JobError::Database)?;
    tokio::spawn(connection);
    Ok(client)
}
