//! Step 8: the job, from a topic into the tables.
//!
//! What it promises: every record is in a result, in a window that has not fired, among the dropped
//! records or among the dead letters, and in one of them only. What it does not: to go on where it
//! stopped. A second run begins anew, with the first record; lab 06 is about that.

use std::time::Duration;

use flights::Flight;
use lab02::batch::{Batch, BatchLimits};
use lab02::dead_letters::{DeadLetterQueue, ReadError};
use lab02::producer::{ProducerLimits, producer_config};
use lab02::record::ReceivedRecord;
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;
use rdkafka::producer::FutureProducer;
use thiserror::Error;
use tokio::time::Instant;
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

use crate::board::{Board, BoardConfig, BoardCounts, DroppedRecord, Outcome};
use crate::firing::WindowResult;
use crate::input::{Input, InputError, Until};
use crate::tables::{TableError, Written};
use crate::window::SizeError;

/// So many records are taken between two looks at the clock and at whether to stop.
pub const TURN_RECORDS: usize = 1_000;

/// So long a turn waits for its first record.
pub const TURN_WAIT: Duration = Duration::from_millis(100);

/// So often an input without an end is looked at for partitions that were added.
pub const BETWEEN_LOOKS: Duration = lab04::reader::LOOK;

// ANCHOR: job_config
/// What a job needs to know.
#[derive(Clone)]
pub struct JobConfig {
    /// What its Kafka clients start from.
    pub kafka: ClientConfig,
    /// The topic with the flights. It reads all of its partitions, from their first records on.
    pub topic: String,
    /// The topic for what is no flight. It must be there.
    pub dead_letter_topic: String,
    /// The database. The tables are in the first schema of its search path.
    pub database: tokio_postgres::Config,
    /// How the board counts.
    pub board: BoardConfig,
    /// When rows are written.
    pub write: BatchLimits,
    /// When it ends by itself.
    pub until: Until,
}

/// A row on its way into one of the tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// What a window said.
    Result(WindowResult),
    /// A record that is in no window.
    Dropped(DroppedRecord),
}

/// How far a job has come. Always: `read` = `dead_letters`, the dropped records, those
/// `in_open_windows` and those in the latest revisions of all results.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Records that were read.
    pub read: u64,
    /// Those that were no flight and are on the topic of the dead letters.
    pub dead_letters: u64,
    /// What became of the flights.
    pub counts: BoardCounts,
    /// The watermark, in milliseconds since the epoch, UTC; `None` before the first.
    pub watermark_ms: Option<i64>,
    /// Windows that have not fired.
    pub open_windows: usize,
    /// All windows that are kept: those, and those that may still be corrected.
    pub kept_windows: usize,
    /// Records in windows that have not fired.
    pub in_open_windows: u64,
    /// Rows that are still to be written.
    pub held_rows: usize,
    /// Rows that were handed to the tables, each correction once more, also one that another of its
    /// batch replaces.
    pub written: Written,
    /// Records that are on the topic and not read yet.
    pub lag: u64,
}
// ANCHOR_END: job_config

/// Why a job stopped before its end. Whole batches are in the tables, or nothing of them.
#[derive(Debug, Error)]
pub enum JobError {
    /// There are no windows of the size.
    #[error(transparent)]
    Size(#[from] SizeError),
    /// The topic cannot be read, or not any longer. A broker that was lost and does not come back in
    /// time is among these.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The topic of the dead letters cannot be used.
    #[error(transparent)]
    DeadLetterTopic(#[from] lab01::topic::TopicError),
    /// A record is no flight, and could not be put aside.
    #[error(transparent)]
    DeadLetter(#[from] ReadError),
    /// The producer of the dead letters could not be made.
    #[error("cannot make a producer: {0}")]
    Producer(KafkaError),
    /// The database cannot be reached.
    #[error(transparent)]
    Database(#[from] lab02::table::TableError),
    /// Rows cannot be written.
    #[error(transparent)]
    Table(#[from] TableError),
}

/// Given: a job at work, and all that it holds open.
pub struct Work {
    /// The topic that it reads.
    pub topic: String,
    /// The partitions, and how far they were read.
    pub input: Input,
    /// Takes what is no flight.
    pub dead_letters: DeadLetterQueue,
    /// Takes the rows.
    pub database: Client,
    /// Counts.
    pub board: Board,
    /// What the board has said and is not yet written.
    pub held: Batch<Row>,
    /// Records that were no flight. The board has not seen them.
    pub dead_letter_count: u64,
    /// Rows that were handed to the tables.
    pub written: Written,
    /// When the job began.
    pub began: Instant,
    /// How long it did not read since then: a partition is not silent while nobody listens.
    pub not_reading: Duration,
}

impl Work {
    /// Given: opens everything, and checks that topics and tables are there.
    ///
    /// # Errors
    /// [`JobError`], before a record is read.
    pub async fn open(config: &JobConfig) -> Result<Work, JobError> {
        use crate::tables::ensure_tables;
        use lab01::topic::describe_topic;
        use lab02::table::connect;

        // What needs no server is refused first.
        Board::new(&[], &config.board)?;
        describe_topic(&config.kafka, &config.dead_letter_topic).await?;
        let database = connect(&config.database).await?;
        ensure_tables(&database).await?;
        let producer: FutureProducer = producer_config(&config.kafka, &ProducerLimits::default())
            .create()
            .map_err(JobError::Producer)?;
        let input = Input::open(&config.kafka, &config.topic, config.until).await?;
        let board = Board::new(&input.partitions(), &config.board)?;
        Ok(Work {
            topic: config.topic.clone(),
            input,
            dead_letters: DeadLetterQueue { producer, topic: config.dead_letter_topic.clone() },
            database,
            board,
            held: Batch::new(config.write),
            dead_letter_count: 0,
            written: Written::default(),
            began: Instant::now(),
            not_reading: Duration::ZERO,
        })
    }

    /// Given: the clock that idleness is told by. It stands still while the job does not read.
    pub fn clock(&self) -> Duration {
        self.began.elapsed().saturating_sub(self.not_reading)
    }

    /// Given: how far the job has come.
    pub fn progress(&self) -> Progress {
        let counts = self.board.counts();
        let state = self.board.aggregation().state();
        Progress {
            read: counts.read + self.dead_letter_count,
            dead_letters: self.dead_letter_count,
            counts,
            watermark_ms: self.board.watermark().current_ms(),
            open_windows: state.open(),
            kept_windows: state.kept(),
            in_open_windows: state.records_in_open(),
            held_rows: self.held.len(),
            written: self.written,
            lag: self.input.lag(),
        }
    }

    /// Takes a record: a flight goes to the board, and what the board says is held to be written;
    /// what is no flight becomes a dead letter, which the broker has when this returns. Behind the
    /// last record of a partition the board is told that the partition has ended.
    ///
    /// # Errors
    /// When a dead letter or a full batch could not be written.
    pub async fn take(
        &mut self,
        message: &BorrowedMessage<'_>,
        clock: Duration,
    ) -> Result<(), JobError> {
        // `flight_in` reads it, `put_aside` makes a dead letter, `hold` takes what the board says. Does
        // the record belong to the input at all? And was it the last of its partition, whatever it is?
        let _ = clock;
        todo!("step 8: take {message:?}")
    }

    /// Given: looks for partitions that were added to the topic, and has the board wait for them. The clock
    /// stands still meanwhile.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub async fn look(&mut self) -> Result<(), JobError> {
        let began = Instant::now();
        let added = self.input.look().await?;
        self.not_reading += began.elapsed();
        let clock = self.clock();
        for partition in added.into_keys() {
            self.board.add_partition(partition, clock);
        }
        Ok(())
    }

    /// Given: deals with an error of the consumer, which may only have lost its broker; see
    /// [`Input::sit_out`]. A stop ends the wait. The clock stands still meanwhile.
    ///
    /// # Errors
    /// When the topic cannot be read any longer.
    pub async fn sit_out(
        &mut self,
        error: KafkaError,
        stop: &CancellationToken,
    ) -> Result<(), JobError> {
        let began = Instant::now();
        tokio::select! {
            biased;
            waited = self.input.sit_out(error) => waited?,
            () = stop.cancelled() => {}
        }
        self.not_reading += began.elapsed();
        Ok(())
    }

    /// Given: makes a dead letter of a record. The clock stands still meanwhile.
    ///
    /// # Errors
    /// When it was not delivered.
    pub async fn put_aside(&mut self, received: ReceivedRecord) -> Result<(), JobError> {
        let began = Instant::now();
        lab02::dead_letters::read(&self.dead_letters, received).await?;
        self.dead_letter_count += 1;
        self.not_reading += began.elapsed();
        Ok(())
    }

    /// Given: tells the board that a partition was read to its end.
    ///
    /// # Errors
    /// When a full batch could not be written.
    pub async fn end_partition(&mut self, partition: i32) -> Result<(), JobError> {
        let results = self.board.on_end_of(partition);
        self.hold(Outcome { results, dropped: None }).await
    }

    /// Holds what the board said until there is enough of it for a batch; then it is written at
    /// once, and nothing is read meanwhile. So a slow database slows the reading, and less than a
    /// batch is held when this returns. What fires at once is in memory at once, however: an outcome
    /// has the results of all keys of a window.
    ///
    /// # Errors
    /// When a full batch could not be written.
    pub async fn hold(&mut self, outcome: Outcome) -> Result<(), JobError> {
        // `Batch::push` gives the batch when it is full. Who writes it, and when is the next row taken?
        todo!("step 8: hold {outcome:?}")
    }

    /// Writes a batch in one transaction. The clock stands still meanwhile.
    ///
    /// # Errors
    /// [`JobError::Table`].
    pub async fn write(&mut self, batch: Vec<Row>) -> Result<(), JobError> {
        // `tables::write` takes results and dropped records apart from each other, and both at once.
        // Both count as written, row by row. A partition is not silent while this waits: `not_reading`.
        todo!("step 8: write a batch of {} rows", batch.len())
    }
}

/// Given: the flight in a record and when it arrived, read where the record lies: nothing is copied
/// but the flight's own fields. `None` for what [`lab02::dead_letters::read`] makes a dead letter of.
pub fn flight_in(message: &BorrowedMessage<'_>) -> Option<(i64, Flight)> {
    use rdkafka::Message;

    let arrived_ms = message.timestamp().to_millis()?;
    let flight = flight_of(message.payload()?, arrived_ms).ok()?;
    Some((arrived_ms, flight))
}

/// Given: the flight in a payload that arrived at this time, in milliseconds since the epoch, UTC. An
/// arrival beyond the years in which a flight may be would disarm the guard.
///
/// # Errors
/// The reason, as a sentence, why it is none.
pub fn flight_of(payload: &[u8], arrived_ms: i64) -> Result<Flight, String> {
    use flights::utc::SUPPORTED_MS;
    use lab01::event::decode;

    let flight = decode(payload).map_err(|error| error.to_string())?;
    if !SUPPORTED_MS.contains(&arrived_ms) {
        return Err(format!("record with timestamp {arrived_ms}, expected one of 1970 to 2099"));
    }
    Ok(flight)
}

/// Runs the job until its end, or until it is stopped.
///
/// At the end of its input every window fires. A stop before that fires nothing; an input that is read
/// to its end has ended, whether or not somebody stops the job then. Either way it then writes what has
/// fired, and ends.
///
/// It works in turns: a turn waits for a record, for [`TURN_WAIT`] at most, takes with it what has
/// arrived already, up to [`TURN_RECORDS`], tells the board the time, writes a batch that is due, and
/// calls `on_progress`. Where the input has no end, it lets [`Work::look`] find added partitions, every
/// [`BETWEEN_LOOKS`]. A broker that is lost is [sat out](Work::sit_out).
///
/// # Errors
/// [`JobError`]. What had fired and was not yet written then, nobody has.
pub async fn run(
    config: &JobConfig,
    stop: &CancellationToken,
    on_progress: &mut dyn FnMut(&Progress),
) -> Result<Progress, JobError> {
    // `consumer.stream()` gives the records: `next().await` waits for one, `next().now_or_never()` takes
    // what is there. A record that the client has given out is read, or lost. The end of a partition
    // comes as `KafkaError::PartitionEOF`, and some are at their end before the first record. Any other
    // error may be a broker that comes back (`Work::sit_out`). What fires at the end, and what when the
    // job is stopped?
    let _ = (stop, on_progress);
    todo!("step 8: run the job from {} into PostgreSQL", config.topic)
}
