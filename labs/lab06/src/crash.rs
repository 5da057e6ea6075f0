//! Given: a loop is crashed after each of its effects, and a table says what it cost.
//!
//! The world is in memory: a log, and a database with transactions. The state, the checkpoints and
//! their bytes are the real ones.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use flights::generator::Generator;
use lab05::board::BoardConfig;
use lab05::firing::WindowResult;
use lab05::window::Window;

use crate::checkpoint::JobState;
use crate::state::Checkpoint;
use crate::store::Output;
use crate::turn::{Effects, Input, Record};

/// How many records the simulation's log holds.
pub const RECORDS: u32 = 90;

/// How many records one poll gives out.
pub const POLL_RECORDS: usize = 16;

/// After how many records a checkpoint is due: polls and checkpoints are never in step.
pub const CHECKPOINT_RECORDS: u64 = 11;

/// More turns than any loop needs that comes to the end of the log.
const MAX_TURNS: usize = 4 * RECORDS as usize;

/// An effect, in the order of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// [`Effects::poll`].
    Poll,
    /// [`Effects::process`].
    Process,
    /// [`Effects::emit`].
    Emit,
    /// [`Effects::advance`].
    Advance,
    /// [`Effects::end`].
    End,
    /// [`Effects::snapshot`].
    Snapshot,
    /// [`Effects::write`].
    Write,
    /// [`Effects::commit`].
    Commit,
    /// [`Effects::commit`], carried out, but its answer never came.
    CommitUnanswered,
}

impl Effect {
    /// Its name: that of the call.
    pub fn name(self) -> &'static str {
        match self {
            Effect::Poll => "poll",
            Effect::Process => "process",
            Effect::Emit => "emit",
            Effect::Advance => "advance",
            Effect::End => "end",
            Effect::Snapshot => "snapshot",
            Effect::Write => "write",
            Effect::Commit => "commit",
            Effect::CommitUnanswered => "commit, unanswered",
        }
    }
}

// ANCHOR: crashing
/// Stands between a loop and its effects, and crashes the loop after the call with a number.
///
/// A process that crashed has no effect on the world any more. So every call behind the crash fails,
/// or does nothing where it cannot fail.
#[derive(Debug)]
pub struct Crashing<E> {
    inner: E,
    /// Counted from 1; `None` for no crash.
    after_call: Option<usize>,
    /// Whether that call is told to have failed, though it was carried out.
    unanswered: bool,
    calls: Vec<Effect>,
}

/// Why an effect of a [`Crashing`] did not happen.
#[derive(Debug, PartialEq, Eq)]
pub enum Stopped<E> {
    /// The loop crashed before, or the answer was lost.
    Crash,
    /// The effect itself failed.
    Failed(E),
}
// ANCHOR_END: crashing

impl<E: Effects> Crashing<E> {
    /// Stands before these effects and never crashes the loop.
    pub fn never(inner: E) -> Self {
        Self { inner, after_call: None, unanswered: false, calls: Vec::new() }
    }

    /// Crashes the loop after the call with this number, counted from 1.
    pub fn after_call(inner: E, number: usize) -> Self {
        Self { after_call: Some(number), ..Self::never(inner) }
    }

    /// Carries the call with this number out, loses its answer, and goes on. A loop that has heard of
    /// a failure should make no further call.
    pub fn unanswered(inner: E, number: usize) -> Self {
        Self { unanswered: true, ..Self::after_call(inner, number) }
    }

    /// The calls that were carried out.
    pub fn calls(&self) -> &[Effect] {
        &self.calls
    }

    /// The effects behind this one.
    pub fn inner(&self) -> &E {
        &self.inner
    }

    /// Takes the effects behind this one out.
    pub fn into_inner(self) -> E {
        self.inner
    }

    /// Whether the loop has crashed: no call is carried out any more.
    pub fn is_over(&self) -> bool {
        !self.unanswered && self.after_call.is_some_and(|number| self.calls.len() >= number)
    }

    /// Counts a call that is about to be carried out; `false` after the crash.
    fn call(&mut self, effect: Effect) -> bool {
        let goes_on = !self.is_over();
        if goes_on {
            self.calls.push(effect);
        }
        goes_on
    }

    fn answer_is_lost(&self) -> bool {
        self.unanswered && self.after_call == Some(self.calls.len())
    }
}

impl<E: Effects<Outcome = Output>> Effects for Crashing<E> {
    type Outcome = Output;
    type Error = Stopped<E::Error>;

    async fn poll(&mut self) -> Result<Vec<Input>, Self::Error> {
        if !self.call(Effect::Poll) {
            return Err(Stopped::Crash);
        }
        self.inner.poll().await.map_err(Stopped::Failed)
    }

    fn process(&mut self, input: &Input) -> Result<Output, Self::Error> {
        if !self.call(Effect::Process) {
            return Err(Stopped::Crash);
        }
        self.inner.process(input).map_err(Stopped::Failed)
    }

    fn advance(&mut self, record: &Record) {
        if self.call(Effect::Advance) {
            self.inner.advance(record);
        }
    }

    fn emit(&mut self, outcome: Output) {
        if self.call(Effect::Emit) {
            self.inner.emit(outcome);
        }
    }

    fn end(&mut self) -> Output {
        if self.call(Effect::End) { self.inner.end() } else { Output::default() }
    }

    fn is_due(&self) -> bool {
        self.inner.is_due()
    }

    fn snapshot(&mut self) -> Checkpoint {
        // Taking one changes nothing, so it may be taken after the crash too.
        self.call(Effect::Snapshot);
        self.inner.snapshot()
    }

    async fn write(&mut self, checkpoint: &Checkpoint) -> Result<(), Self::Error> {
        if !self.call(Effect::Write) {
            return Err(Stopped::Crash);
        }
        self.inner.write(checkpoint).await.map_err(Stopped::Failed)
    }

    async fn commit(&mut self) -> Result<(), Self::Error> {
        if !self.call(Effect::Commit) {
            return Err(Stopped::Crash);
        }
        self.inner.commit().await.map_err(Stopped::Failed)?;
        if self.answer_is_lost() { Err(Stopped::Crash) } else { Ok(()) }
    }
}

/// What a database holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tables {
    /// The latest result of each window and airport.
    pub results: BTreeMap<(Window, String), WindowResult>,
    /// The places of dropped records, each as often as it was written.
    pub dropped: Vec<(i32, i64)>,
    /// The bytes of the newest checkpoint.
    pub checkpoint: Option<Vec<u8>>,
}

/// Which log the simulation has. Offsets begin at 100, as where older records were deleted, and the
/// last partition is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Log {
    /// All records in one partition, out of order by more than the bound: some are late, and some are
    /// dropped. Read again, they come in the same order, so the tables can be compared.
    OnePartition,
    /// The records in two partitions, out of order by no more than the bound: none is late, in
    /// whatever order the two are read, so the tables can be compared.
    TwoPartitions,
}

/// A log, a database and a job between them, all in memory.
#[derive(Debug, Clone)]
pub struct Memory {
    kind: Log,
    log: BTreeMap<i32, Vec<Record>>,
    committed: Tables,
    /// What an open transaction would leave.
    open: Option<Tables>,
    /// The job's own memory, which a crash takes away.
    state: JobState,
    /// Where the consumer reads next: ahead of what was processed.
    consumed: BTreeMap<i32, i64>,
    waiting: Output,
    since_checkpoint: u64,
    last_id: u64,
    ended: BTreeSet<i32>,
    /// An earlier process has read this very log to its end, and has said so.
    finished: bool,
}

/// What failed in memory: nothing can, but for a commit without a transaction.
#[derive(Debug, PartialEq, Eq)]
pub enum MemoryError {
    /// Nothing was written that could be committed.
    NoTransaction,
}

impl Log {
    /// How the board counts this log: windows of an hour.
    pub fn board_config(self) -> BoardConfig {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        BoardConfig {
            window: minutes(60),
            bound: match self {
                Log::OnePartition => minutes(20),
                Log::TwoPartitions => OUT_OF_ORDER,
            },
            allowed_lateness: minutes(30),
            idle_after: None,
            allowed_ahead: minutes(60),
        }
    }
}

impl Memory {
    /// [`RECORDS`] records that nobody has read, and an empty database.
    pub fn unread(kind: Log) -> Memory {
        let log = records(kind);
        let first = log.keys().map(|partition| (*partition, FIRST_OFFSET)).collect();
        let state = JobState::begin(&first, &kind.board_config());
        Memory {
            kind,
            log,
            committed: Tables::default(),
            open: None,
            state: state.expect("an hour is a window's length"),
            consumed: first,
            waiting: Output::default(),
            since_checkpoint: 0,
            last_id: 0,
            ended: BTreeSet::new(),
            finished: false,
        }
    }

    /// A new process on the same log and the same database: an open transaction is rolled back, and
    /// what only the memory of the old process knew is gone.
    pub fn restarted(self) -> Memory {
        use crate::checkpoint::{decode, restore};

        let mut fresh = Memory::unread(self.kind);
        fresh.committed = self.committed;
        if let Some(bytes) = &fresh.committed.checkpoint {
            let checkpoint = decode(bytes).expect("a database keeps the bytes that it was given");
            let state = restore(&checkpoint, &self.kind.board_config());
            fresh.state = state.expect("an hour is a window's length");
            let positions = fresh.state.positions.iter();
            fresh.consumed = positions.map(|(id, position)| (*id, position.next_offset)).collect();
            fresh.last_id = checkpoint.id;
            fresh.finished = checkpoint.finished && fresh.is_read();
        }
        fresh
    }

    /// What the database holds.
    pub fn tables(&self) -> &Tables {
        &self.committed
    }

    /// Whether everything was read and taken.
    pub fn is_at_the_end(&self) -> bool {
        self.log.keys().all(|partition| self.ended.contains(partition))
    }

    /// Whether an earlier process has read everything and its end is in the database: then there is
    /// nothing to do.
    pub fn was_finished(&self) -> bool {
        self.finished
    }

    fn is_read(&self) -> bool {
        let end = |records: &Vec<Record>| FIRST_OFFSET + records.len() as i64;
        self.log.iter().all(|(partition, records)| self.consumed[partition] >= end(records))
    }
}

impl Effects for Memory {
    type Outcome = Output;
    type Error = MemoryError;

    async fn poll(&mut self) -> Result<Vec<Input>, MemoryError> {
        let mut inputs = Vec::new();
        for (partition, records) in &self.log {
            let next = self.consumed.get_mut(partition).expect("each partition has a position");
            let begin = (*next - FIRST_OFFSET) as usize;
            for record in records.iter().skip(begin).take(POLL_RECORDS / 2) {
                inputs.push(Input::Record(record.clone()));
                *next += 1;
            }
            if *next == FIRST_OFFSET + records.len() as i64 && self.ended.insert(*partition) {
                inputs.push(Input::EndOf(*partition));
            }
        }
        Ok(inputs)
    }

    fn process(&mut self, input: &Input) -> Result<Output, MemoryError> {
        self.since_checkpoint += u64::from(matches!(input, Input::Record(_)));
        Ok(self.state.process(input, Duration::ZERO))
    }

    fn advance(&mut self, record: &Record) {
        self.state.advance(record);
    }

    fn emit(&mut self, outcome: Output) {
        self.waiting.append(outcome);
    }

    fn end(&mut self) -> Output {
        self.state.end()
    }

    fn is_due(&self) -> bool {
        self.since_checkpoint >= CHECKPOINT_RECORDS
    }

    fn snapshot(&mut self) -> Checkpoint {
        crate::checkpoint::take(&self.state, self.last_id + 1, "simulation")
    }

    async fn write(&mut self, checkpoint: &Checkpoint) -> Result<(), MemoryError> {
        let mut tables = self.committed.clone();
        for result in &self.waiting.results {
            tables.results.insert((result.window, result.key.clone()), result.clone());
        }
        let dropped = self.waiting.dropped.iter();
        tables.dropped.extend(dropped.map(|record| (record.partition, record.offset)));
        tables.checkpoint = Some(crate::checkpoint::encode(checkpoint));
        self.open = Some(tables);
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), MemoryError> {
        self.committed = self.open.take().ok_or(MemoryError::NoTransaction)?;
        self.waiting = Output::default();
        self.since_checkpoint = 0;
        self.last_id += 1;
        Ok(())
    }
}

/// What a crash cost, worst case by the effect behind which the loop crashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrashTable {
    /// One line for each effect of the loop.
    pub lines: Vec<CrashLine>,
}

/// A line of a [`CrashTable`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CrashLine {
    /// The effect behind which the loop crashed.
    pub after: Effect,
    /// How often it was tried: once behind each call.
    pub crashes: usize,
    /// How many records were in no result and not among the dropped.
    pub lost: u64,
    /// How many records were counted or dropped once more.
    pub repeated: u64,
}

impl CrashTable {
    /// Whether no crash lost or repeated anything.
    pub fn is_all_zeros(&self) -> bool {
        self.lines.iter().all(|line| line.lost == 0 && line.repeated == 0)
    }

    fn note(&mut self, after: Effect, lost: u64, repeated: u64) {
        let known = self.lines.iter().position(|line| line.after == after);
        let index = known.unwrap_or_else(|| {
            self.lines.push(CrashLine { after, crashes: 0, lost: 0, repeated: 0 });
            self.lines.len() - 1
        });
        let line = &mut self.lines[index];
        line.crashes += 1;
        line.lost = line.lost.max(lost);
        line.repeated = line.repeated.max(repeated);
    }
}

impl fmt::Display for CrashTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{RECORDS} records, one crash, then a restart")?;
        write!(f, "\n  crash after          tried   lost   repeated")?;
        for CrashLine { after, crashes, lost, repeated } in &self.lines {
            write!(f, "\n  {:<18}   {crashes:>5}   {lost:>4}   {repeated:>8}", after.name())?;
        }
        Ok(())
    }
}

/// Crashes a loop in memory once behind each of its calls, and loses the answer of each of its
/// commits; restarts it each time, reads to the end, and compares the tables with those of a loop
/// that never crashed. `turn` is one turn of the loop, `finish` its end.
pub async fn crash_table<T, F>(log: Log, turn: T, finish: F) -> CrashTable
where
    T: AsyncFn(&mut Crashing<Memory>) -> Result<usize, Stopped<MemoryError>>,
    F: AsyncFn(&mut Crashing<Memory>) -> Result<(), Stopped<MemoryError>>,
{
    let undisturbed = run(Crashing::never(Memory::unread(log)), &turn, &finish).await;
    let calls = undisturbed.calls().to_vec();
    let expected = undisturbed.into_inner();
    let mut table = CrashTable { lines: Vec::new() };
    for (index, effect) in calls.iter().enumerate() {
        let crashed = Crashing::after_call(Memory::unread(log), index + 1);
        let (lost, repeated) = after_restart(crashed, &expected, &turn, &finish).await;
        table.note(*effect, lost, repeated);
        if *effect == Effect::Commit {
            let unanswered = Crashing::unanswered(Memory::unread(log), index + 1);
            let (lost, repeated) = after_restart(unanswered, &expected, &turn, &finish).await;
            table.note(Effect::CommitUnanswered, lost, repeated);
        }
    }
    table.lines.sort_by_key(|line| line.after);
    table
}

async fn after_restart<T, F>(
    first: Crashing<Memory>,
    expected: &Memory,
    turn: &T,
    finish: &F,
) -> (u64, u64)
where
    T: AsyncFn(&mut Crashing<Memory>) -> Result<usize, Stopped<MemoryError>>,
    F: AsyncFn(&mut Crashing<Memory>) -> Result<(), Stopped<MemoryError>>,
{
    let crashed = run(first, turn, finish).await.into_inner();
    let again = run(Crashing::never(crashed.restarted()), turn, finish).await;
    again.inner().tables().compared_with(expected.tables())
}

/// Turns to the end of the log, and the end itself, unless the loop crashes or hears of a failure.
async fn run<T, F>(mut job: Crashing<Memory>, turn: &T, finish: &F) -> Crashing<Memory>
where
    T: AsyncFn(&mut Crashing<Memory>) -> Result<usize, Stopped<MemoryError>>,
    F: AsyncFn(&mut Crashing<Memory>) -> Result<(), Stopped<MemoryError>>,
{
    if job.inner().was_finished() {
        return job;
    }
    for _ in 0..MAX_TURNS {
        if turn(&mut job).await.is_err() || job.is_over() {
            return job;
        }
        if job.inner().is_at_the_end() {
            // Whether it heard of a failure does not matter any more.
            let _ = finish(&mut job).await;
            return job;
        }
    }
    job
}

impl Tables {
    /// How many records these tables miss, and how many they hold once more than others.
    pub fn compared_with(&self, expected: &Tables) -> (u64, u64) {
        let (mut lost, mut repeated) = (0, 0);
        let places: BTreeSet<_> = self.results.keys().chain(expected.results.keys()).collect();
        for place in places {
            let count = |tables: &Tables| tables.results.get(place).map_or(0, |r| r.delays.count);
            lost += count(expected).saturating_sub(count(self));
            repeated += count(self).saturating_sub(count(expected));
        }
        let places: BTreeSet<_> = self.dropped.iter().chain(&expected.dropped).collect();
        for place in places {
            let times =
                |tables: &Tables| tables.dropped.iter().filter(|it| *it == place).count() as u64;
            lost += times(expected).saturating_sub(times(self));
            repeated += times(self).saturating_sub(times(expected));
        }
        (lost, repeated)
    }
}

/// The offset of each partition's first record.
const FIRST_OFFSET: i64 = 100;

/// By how much the records are out of order at most.
const OUT_OF_ORDER: Duration = Duration::from_secs(90 * 60);

/// From one record to the next: four minutes.
const IDS_PER_RECORD: u32 = 480;

fn records(kind: Log) -> BTreeMap<i32, Vec<Record>> {
    let generator = Generator::out_of_order(6, OUT_OF_ORDER).expect("a bound of whole minutes");
    let partitions = match kind {
        Log::OnePartition => 2,
        Log::TwoPartitions => 3,
    };
    let mut log: BTreeMap<i32, Vec<Record>> = (0..partitions).map(|id| (id, vec![])).collect();
    for index in 0..RECORDS {
        let flight = generator.flight(index * IDS_PER_RECORD);
        // Of three records two lie on the second partition, where there is one with records.
        let partition = (partitions - 2).min(i32::from(!index.is_multiple_of(3)));
        let records = log.entry(partition).or_default();
        records.push(Record {
            partition,
            offset: FIRST_OFFSET + records.len() as i64,
            timestamp_ms: flight.departed_ms(),
            payload: lab01::event::encode(&flight).expect("a made flight is a flight"),
        });
    }
    log
}
