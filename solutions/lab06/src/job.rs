//! Given: the effects of the loop on Kafka and PostgreSQL, and the job around it.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::{FutureExt, StreamExt};
use lab03::broker::{Bounds, BrokerError, Outsider};
use lab05::board::BoardConfig;
use lab05::input::{InputError, Until};
use lab05::job::{BETWEEN_LOOKS, TURN_RECORDS, TURN_WAIT};
use rdkafka::ClientConfig;
use rdkafka::Message;
use rdkafka::error::KafkaError;
use thiserror::Error;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout};
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

use crate::checkpoint::{JobState, RestoreError};
use crate::crash::Effect;
use crate::fencing::Epoch;
use crate::interval::Interval;
use crate::last_record::{LastRecordError, fingerprints};
use crate::recovery::{RecoveryError, Which};
use crate::rewind::{RewindError, TakenBack};
use crate::state::{Checkpoint, SavedPartition};
use crate::store::{LET_GO, Output, StoreError, Writer};
use crate::turn::{Effects, Input, Record};

// ANCHOR: job_config
/// What a job needs to know.
#[derive(Clone)]
pub struct JobConfig {
    /// Its name: its checkpoints lie under it.
    pub job: String,
    /// What its Kafka clients start from.
    pub kafka: ClientConfig,
    /// The topic with the flights, all of its partitions.
    pub topic: String,
    /// The database. The tables are in the first schema of its search path.
    pub database: tokio_postgres::Config,
    /// How the board counts.
    pub board: BoardConfig,
    /// When a checkpoint is due.
    pub interval: Interval,
    /// When it ends by itself.
    pub until: Until,
    /// Where it goes on.
    pub begin: Begin,
    /// The epoch of this instance; `None` where nobody is fenced off.
    pub epoch: Option<Epoch>,
}

/// Where a job goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begin {
    /// At one of its checkpoints in the database; at the first record where it has none.
    Checkpoint(Which),
    /// At this one, from a savepoint.
    Savepoint(Box<Checkpoint>),
}

/// How far a job has come, by what is committed and what is not yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Records that this run has read.
    pub read: u64,
    /// Records that are on the topic and not read yet.
    pub lag: u64,
    /// The watermark, in milliseconds since the epoch, UTC.
    pub watermark_ms: Option<i64>,
    /// Windows that have not fired.
    pub open_windows: usize,
    /// Windows that are kept.
    pub kept_windows: usize,
    /// Records in windows that have not fired.
    pub in_open_windows: u64,
    /// Checkpoints that this run has committed.
    pub checkpoints: u64,
    /// The number of the newest.
    pub checkpoint_id: u64,
    /// Rows that it took back, since it began with an earlier checkpoint.
    pub taken_back: TakenBack,
}
// ANCHOR_END: job_config

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// How far it has come.
    pub progress: Progress,
    /// Its last checkpoint. Everything up to here is in the tables.
    pub checkpoint: Checkpoint,
}

/// Why a job stopped before its end. What it had committed is in the tables, and the next start goes
/// on from there.
#[derive(Debug, Error)]
pub enum JobError {
    /// Its configuration does not go with its checkpoint, or no window can have its length.
    #[error(transparent)]
    Restore(#[from] RestoreError),
    /// It cannot go on from where it should.
    #[error(transparent)]
    Recovery(#[from] RecoveryError),
    /// The checkpoint is one that this program can't have made.
    #[error("checkpoint {id} contradicts itself: {reason}")]
    Contradiction {
        /// Its number.
        id: u64,
        /// What is wrong.
        reason: String,
    },
    /// The broker could not be asked.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The records by which a topic is recognised could not be read.
    #[error(transparent)]
    LastRecord(#[from] LastRecordError),
    /// The topic cannot be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The database cannot be reached.
    #[error(transparent)]
    Database(#[from] lab02::table::TableError),
    /// A checkpoint could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The tables could not be set back to an earlier checkpoint.
    #[error(transparent)]
    Rewind(#[from] RewindError),
}

/// A job at work, and all that it holds open.
pub struct Job<'a> {
    config: JobConfig,
    writer: Writer,
    input: lab05::input::Input,
    database: Client,
    state: JobState,
    waiting: Output,
    /// When the last checkpoint was committed, and how many records and results came since.
    checkpointed: Instant,
    changes: u64,
    last: Option<Checkpoint>,
    /// What a write has left to be committed.
    written: Option<Checkpoint>,
    began: Instant,
    not_reading: Duration,
    /// The clock when the inputs at hand were read.
    read_at: Duration,
    looked: Instant,
    progress: Progress,
    stop: CancellationToken,
    watch: &'a mut dyn FnMut(Effect),
}

impl<'a> Job<'a> {
    /// Opens everything, finds out where to go on, and refuses where that is not possible. A `stop` ends
    /// the wait for a broker that is lost. `watch` is told of each effect that was carried out.
    ///
    /// # Errors
    /// [`JobError`], before a record is read.
    pub async fn open(
        config: &JobConfig,
        stop: &CancellationToken,
        watch: &'a mut dyn FnMut(Effect),
    ) -> Result<Job<'a>, JobError> {
        use crate::recovery::{check_tables_are_empty, start_offsets};
        use crate::store::{ensure_tables, newest_id};

        let database = lab02::table::connect(&config.database).await?;
        database.batch_execute(LET_GO).await.map_err(StoreError::from)?;
        ensure_tables(&database).await?;
        let newest_id = newest_id(&database, &config.job).await.map_err(RecoveryError::from)?;
        let begin = match &config.begin {
            Begin::Checkpoint(which) => {
                crate::recovery::load(&database, &config.job, *which).await?
            }
            Begin::Savepoint(checkpoint) => Some((**checkpoint).clone()),
        };
        if let Some(checkpoint) = &begin {
            let contradiction = |reason| JobError::Contradiction { id: checkpoint.id, reason };
            checkpoint.check().map_err(contradiction)?;
        }
        // No group is asked about: the topic's name stands for one.
        let outsider = Outsider::new(&config.kafka, &config.topic, &config.topic)?;
        // The question blocks its thread.
        let bounds = spawn_blocking(move || outsider.bounds()).await;
        let bounds = bounds.expect("the question does not panic")?;
        let first = bounds.iter().map(|(partition, bounds)| (*partition, bounds.first)).collect();
        let (state, offsets) = match &begin {
            None => {
                check_tables_are_empty(&database, &config.job).await?;
                let state = JobState::begin(&first, &config.board).map_err(RestoreError::from)?;
                (state, first)
            }
            Some(checkpoint) => {
                let offsets = start_offsets(checkpoint, &config.topic, &bounds)?;
                check_last_records(config, checkpoint, &first).await?;
                let known = to_be_read(checkpoint, &offsets, &bounds);
                (crate::checkpoint::restore(&known, &config.board)?, offsets)
            }
        };
        let (kafka, topic) = (&config.kafka, &config.topic);
        let input = lab05::input::Input::open_at(kafka, topic, config.until, &offsets).await?;
        let begun_at = begin.as_ref().map_or(0, |checkpoint| checkpoint.id);
        let now = Instant::now();
        Ok(Job {
            config: config.clone(),
            writer: Writer { job: config.job.clone(), epoch: config.epoch },
            input,
            database,
            state,
            waiting: Output::default(),
            checkpointed: now,
            changes: 0,
            last: begin,
            written: None,
            began: now,
            not_reading: Duration::ZERO,
            read_at: Duration::ZERO,
            looked: now,
            progress: Progress { checkpoint_id: newest_id.max(begun_at), ..Progress::default() },
            stop: stop.clone(),
            watch,
        })
    }

    /// How far the job has come.
    pub fn progress(&self) -> Progress {
        let kept = self.state.board.aggregation().state();
        Progress {
            lag: self.input.lag(),
            watermark_ms: self.state.board.watermark().current_ms(),
            open_windows: kept.open(),
            kept_windows: kept.kept(),
            in_open_windows: kept.records_in_open(),
            ..self.progress
        }
    }

    /// Whether a bounded input is read to its end.
    pub fn is_at_the_end(&self) -> bool {
        self.input.is_at_end()
    }

    fn ended(self) -> Ended {
        let checkpoint =
            self.last.clone().expect("whoever ends has found a checkpoint or made one");
        Ended { progress: self.progress(), checkpoint }
    }

    /// Whether the results of this very input's end are in these tables already. Those of a savepoint
    /// may be in the tables of another machine.
    fn was_finished_before(&self) -> bool {
        let finished = self.last.as_ref().is_some_and(|checkpoint| checkpoint.finished);
        finished && self.is_at_the_end() && self.config.begin == Begin::Checkpoint(Which::Latest)
    }

    /// Makes the first checkpoint of a job that begins with an earlier one, and in the same transaction
    /// sets the tables back. Whoever goes on after a crash is to begin here too, and not at another
    /// checkpoint or none.
    async fn go_back(&mut self) -> Result<(), JobError> {
        let Some(back_to) = self.last.take() else { return Ok(()) };
        let first = self.snapshot();
        let began = Instant::now();
        let taken_back =
            crate::rewind::write(&self.database, &self.writer, &back_to, &first).await?;
        self.written = Some(first);
        self.not_reading += began.elapsed();
        (self.watch)(Effect::Write);
        self.commit().await?;
        self.progress.taken_back = taken_back;
        Ok(())
    }

    /// The clock that idleness is told by. It stands still while the job does not read.
    fn clock(&self) -> Duration {
        self.began.elapsed().saturating_sub(self.not_reading)
    }

    async fn read(&mut self) -> Result<Vec<Input>, JobError> {
        let consumer = self.input.consumer();
        let mut records = consumer.stream();
        let mut inputs = Vec::new();
        let mut next = timeout(TURN_WAIT, records.next()).await.ok().flatten();
        while let Some(answer) = next {
            match answer {
                Ok(message) => {
                    let (partition, offset) = (message.partition(), message.offset());
                    if self.input.contains(partition, offset) {
                        inputs.push(Input::Record(Record {
                            partition,
                            offset,
                            timestamp_ms: message.timestamp().to_millis().unwrap_or(-1),
                            payload: message.payload().unwrap_or_default().to_vec(),
                        }));
                        if self.input.read_to(partition, offset + 1) {
                            inputs.push(Input::EndOf(partition));
                        }
                    }
                }
                Err(KafkaError::PartitionEOF(partition)) => {
                    if self.input.read_to_end(partition) {
                        inputs.push(Input::EndOf(partition));
                    }
                }
                Err(error) => {
                    let began = Instant::now();
                    tokio::select! {
                        biased;
                        waited = self.input.sit_out(error) => waited?,
                        () = self.stop.cancelled() => {}
                    }
                    self.not_reading += began.elapsed();
                }
            }
            // A record that the client has given out is read, or lost.
            let is_full = inputs.len() >= TURN_RECORDS;
            next = if is_full { None } else { records.next().now_or_never().flatten() };
        }
        Ok(inputs)
    }
}

impl Effects for Job<'_> {
    type Outcome = Output;
    type Error = JobError;

    /// Waits for a record, for [`TURN_WAIT`] at most, and takes with it what has arrived already.
    /// The last input is the time.
    async fn poll(&mut self) -> Result<Vec<Input>, JobError> {
        if self.config.until == Until::Stopped && self.looked.elapsed() >= BETWEEN_LOOKS {
            let began = Instant::now();
            let added = self.input.look().await?;
            self.looked = Instant::now();
            self.not_reading += began.elapsed();
            for (partition, next_offset) in added {
                self.state.add_partition(partition, next_offset, self.clock());
            }
        }
        let mut inputs = self.read().await?;
        self.read_at = self.clock();
        inputs.push(Input::Time(self.read_at));
        (self.watch)(Effect::Poll);
        Ok(inputs)
    }

    fn process(&mut self, input: &Input) -> Result<Output, JobError> {
        let is_record = u64::from(matches!(input, Input::Record(_)));
        self.changes += is_record;
        self.progress.read += is_record;
        let outcome = self.state.process(input, self.read_at);
        (self.watch)(Effect::Process);
        Ok(outcome)
    }

    fn advance(&mut self, record: &Record) {
        self.state.advance(record);
        (self.watch)(Effect::Advance);
    }

    fn emit(&mut self, outcome: Output) {
        self.changes += outcome.results.len() as u64;
        self.waiting.append(outcome);
        (self.watch)(Effect::Emit);
    }

    fn end(&mut self) -> Output {
        let outcome = self.state.end();
        (self.watch)(Effect::End);
        outcome
    }

    fn is_due(&self) -> bool {
        self.config.interval.is_due(self.checkpointed.elapsed(), self.changes)
    }

    fn snapshot(&mut self) -> Checkpoint {
        let id = self.progress.checkpoint_id + 1;
        let checkpoint = crate::checkpoint::take(&self.state, id, &self.config.topic);
        (self.watch)(Effect::Snapshot);
        checkpoint
    }

    async fn write(&mut self, checkpoint: &Checkpoint) -> Result<(), JobError> {
        let began = Instant::now();
        crate::store::write(&self.database, &self.writer, &self.waiting, checkpoint).await?;
        self.written = Some(checkpoint.clone());
        self.not_reading += began.elapsed();
        (self.watch)(Effect::Write);
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), JobError> {
        let began = Instant::now();
        crate::store::commit(&self.database).await?;
        self.not_reading += began.elapsed();
        self.waiting = Output::default();
        self.last = self.written.take();
        self.changes = 0;
        self.checkpointed = Instant::now();
        self.progress.checkpoints += 1;
        self.progress.checkpoint_id += 1;
        (self.watch)(Effect::Commit);
        Ok(())
    }
}

/// Runs the job until its end, or until it is stopped.
///
/// Where it begins with a savepoint or an older checkpoint, it makes a checkpoint of that first and sets
/// the tables back to it, in one transaction. At the end of its input every window fires. A stop fires
/// nothing: it makes a checkpoint, which is also what a savepoint is made of, unless nothing has changed
/// since the last one; before the first record there is none, so it makes one of the offsets at which the
/// job begins. `on_progress` is called after each turn and after the tables were set back, `watch` after each effect.
///
/// # Errors
/// [`JobError`]. The memory of the job is gone then, and nobody needs it: what was committed is enough
/// to go on.
pub async fn run(
    config: &JobConfig,
    stop: &CancellationToken,
    on_progress: &mut dyn FnMut(&Progress),
    watch: &mut dyn FnMut(Effect),
) -> Result<Ended, JobError> {
    use crate::turn::{checkpoint, finish, turn};

    let mut job = Job::open(config, stop, watch).await?;
    if job.was_finished_before() {
        return Ok(job.ended());
    }
    if config.begin != Begin::Checkpoint(Which::Latest) {
        job.go_back().await?;
        on_progress(&job.progress());
    }
    for partition in job.input.ended() {
        let outcome = job.process(&Input::EndOf(partition))?;
        job.emit(outcome);
    }
    while !job.is_at_the_end() && !stop.is_cancelled() {
        turn(&mut job).await?;
        on_progress(&job.progress());
    }
    if job.is_at_the_end() {
        finish(&mut job).await?;
    } else if job.changes > 0 || job.last.is_none() {
        checkpoint(&mut job).await?;
    }
    on_progress(&job.progress());
    Ok(job.ended())
}

/// Reads the last processed record of each partition once more, where it is still there.
async fn check_last_records(
    config: &JobConfig,
    checkpoint: &Checkpoint,
    first: &BTreeMap<i32, i64>,
) -> Result<(), JobError> {
    let last = checkpoint.partitions.iter().filter_map(|saved| {
        let offset = saved.last_record?.offset;
        let is_there = first.get(&saved.partition).is_some_and(|first| *first <= offset);
        is_there.then_some((saved.partition, offset))
    });
    let found = fingerprints(&config.kafka, &config.topic, &last.collect()).await?;
    Ok(crate::recovery::check_records(checkpoint, &found)?)
}

/// The checkpoint for the topic as it is now. Partitions that were added since begin at the offsets
/// given here and have not spoken yet. One that holds unread records is waited for, though it was
/// silent or at its end when the checkpoint was made.
fn to_be_read(
    checkpoint: &Checkpoint,
    offsets: &BTreeMap<i32, i64>,
    bounds: &BTreeMap<i32, Bounds>,
) -> Checkpoint {
    let mut known = checkpoint.clone();
    for saved in &mut known.partitions {
        let end = bounds.get(&saved.partition).map_or(0, |bounds| bounds.end);
        saved.idle &= saved.next_offset >= end;
    }
    for (&partition, &next_offset) in offsets {
        if known.partitions.iter().all(|saved| saved.partition != partition) {
            known.partitions.push(SavedPartition {
                partition,
                next_offset,
                last_record: None,
                max_timestamp_ms: None,
                idle: false,
            });
        }
    }
    known
}
