//! Given: a loop is crashed between any two of its effects, and a table says what it cost.
//!
//! A crash inside an effect needs no line of its own: a write that is all or nothing has happened
//! or has not, and so has a commit. It looks like a crash behind the effect, or before it.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use crate::guarantee::{Effects, Record};
use crate::progress::Offsets;

/// How many records the simulation's topic holds.
pub const RECORDS: usize = 120;

/// How many records one poll of the simulation gives out.
pub const BATCH_RECORDS: usize = 10;

/// More turns than any loop needs that comes to the end of the simulation's topic.
const MAX_TURNS: usize = 2 * RECORDS;

/// An effect, in the order of a job's turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// [`Effects::poll`].
    Poll,
    /// [`Effects::process`].
    Process,
    /// [`Effects::write`].
    Write,
    /// [`Effects::commit`].
    Commit,
}

impl Effect {
    /// All four.
    pub const ALL: [Effect; 4] = [Effect::Poll, Effect::Process, Effect::Write, Effect::Commit];

    /// Its name: that of the call.
    pub fn name(self) -> &'static str {
        match self {
            Effect::Poll => "poll",
            Effect::Process => "process",
            Effect::Write => "write",
            Effect::Commit => "commit",
        }
    }
}

// ANCHOR: crashing
/// Stands between a loop and its effects, and crashes the loop after a call.
///
/// A process that crashed has no effect on the world any more. So every call behind the crash
/// fails and is not carried out.
#[derive(Debug)]
pub struct Crashing<E> {
    inner: E,
    crash: Crash,
    calls: Vec<Effect>,
}

/// When a loop crashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crash {
    /// Never.
    Never,
    /// Behind the call with this number, counted from 1.
    AfterCall(usize),
    /// Behind the first call of this effect.
    AfterFirst(Effect),
}

/// Why an effect of a [`Crashing`] did not happen.
#[derive(Debug, PartialEq, Eq)]
pub enum Stopped<E> {
    /// The loop crashed before.
    Crash,
    /// The effect itself failed.
    Failed(E),
}

impl<E: Effects> Crashing<E> {
    /// Stands before these effects.
    pub fn new(inner: E, crash: Crash) -> Self {
        Self { inner, crash, calls: Vec::new() }
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
        match self.crash {
            Crash::Never => false,
            Crash::AfterCall(number) => self.calls.len() >= number,
            Crash::AfterFirst(effect) => self.calls.contains(&effect),
        }
    }

    fn call(&mut self, effect: Effect) -> Result<(), Stopped<E::Error>> {
        if self.is_over() {
            return Err(Stopped::Crash);
        }
        self.calls.push(effect);
        Ok(())
    }
}

impl<E: Effects> Effects for Crashing<E> {
    type Row = E::Row;
    type Error = Stopped<E::Error>;

    async fn poll(&mut self) -> Result<Vec<Record>, Self::Error> {
        self.call(Effect::Poll)?;
        self.inner.poll().await.map_err(Stopped::Failed)
    }

    fn process(&mut self, record: &Record) -> Result<Self::Row, Self::Error> {
        self.call(Effect::Process)?;
        self.inner.process(record).map_err(Stopped::Failed)
    }

    async fn write(&mut self, rows: &[Self::Row]) -> Result<(), Self::Error> {
        self.call(Effect::Write)?;
        self.inner.write(rows).await.map_err(Stopped::Failed)
    }

    async fn commit(&mut self, next: &Offsets) -> Result<(), Self::Error> {
        self.call(Effect::Commit)?;
        self.inner.commit(next).await.map_err(Stopped::Failed)
    }
}
// ANCHOR_END: crashing

/// A topic, a group's committed offsets and a table, all in memory.
///
/// The topic has three partitions: the second holds twice as much as the first, the third nothing.
/// The offsets begin at 100, as where older records were deleted.
#[derive(Debug, Clone)]
pub struct Memory {
    /// The offsets of each partition's records.
    log: BTreeMap<i32, Range<i64>>,
    committed: Offsets,
    position: Offsets,
    /// How often each record was written, by partition and offset.
    written: BTreeMap<(i32, i64), usize>,
    last_poll: usize,
}

/// What failed in memory: nothing can.
#[derive(Debug, PartialEq, Eq)]
pub enum Never {}

impl Memory {
    /// [`RECORDS`] records that nobody has read.
    pub fn unread() -> Self {
        let third = RECORDS as i64 / 3;
        let log = BTreeMap::from([(0, 100..100 + third), (1, 100..100 + 2 * third), (2, 0..0)]);
        Self {
            log,
            committed: Offsets::new(),
            position: Offsets::new(),
            written: BTreeMap::new(),
            last_poll: usize::MAX,
        }
    }

    /// A new process: what only the memory of the old one knew is gone.
    pub fn restart(&mut self) {
        self.position = self.committed.clone();
        self.last_poll = usize::MAX;
    }

    /// The records that were never written, by partition and offset.
    pub fn lost(&self) -> Vec<(i32, i64)> {
        let all = self.log.iter().flat_map(|(p, offsets)| offsets.clone().map(|o| (*p, o)));
        all.filter(|place| !self.written.contains_key(place)).collect()
    }

    /// How many rows were written beyond one a record.
    pub fn repeated(&self) -> usize {
        self.written.values().map(|times| times - 1).sum()
    }

    /// What the group has committed.
    pub fn committed(&self) -> &Offsets {
        &self.committed
    }
}

impl Effects for Memory {
    type Row = (i32, i64);
    type Error = Never;

    async fn poll(&mut self) -> Result<Vec<Record>, Never> {
        let mut records = Vec::new();
        // One record of each partition in turn, so that every batch holds several partitions.
        loop {
            let before = records.len();
            for (&partition, offsets) in &self.log {
                let position = self.position.get(&partition).copied();
                let offset = position.unwrap_or(offsets.start).max(offsets.start);
                if records.len() < BATCH_RECORDS && offset < offsets.end {
                    let payload = Vec::new();
                    records.push(Record { partition, offset, timestamp_ms: -1, payload });
                    self.position.insert(partition, offset + 1);
                }
            }
            if records.len() == before {
                break;
            }
        }
        self.last_poll = records.len();
        Ok(records)
    }

    fn process(&mut self, record: &Record) -> Result<(i32, i64), Never> {
        Ok((record.partition, record.offset))
    }

    async fn write(&mut self, rows: &[(i32, i64)]) -> Result<(), Never> {
        for row in rows {
            *self.written.entry(*row).or_default() += 1;
        }
        Ok(())
    }

    async fn commit(&mut self, next: &Offsets) -> Result<(), Never> {
        self.committed.extend(next);
        Ok(())
    }
}

/// What a loop's crashes cost, worst case by the effect behind which it crashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrashTable {
    /// What the table is about, such as `at least once`.
    pub title: String,
    /// How many records there were.
    pub records: usize,
    /// One line for each effect of the loop.
    pub lines: Vec<CrashLine>,
}

/// A line of a [`CrashTable`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrashLine {
    /// The effect behind which the loop crashed.
    pub after: Effect,
    /// How many records were never written.
    pub lost: usize,
    /// How many rows were written beyond one a record.
    pub repeated: usize,
    /// The first lost record, by partition and offset.
    pub first_lost: Option<(i32, i64)>,
}

impl CrashTable {
    /// The most records that any crash lost.
    pub fn lost(&self) -> usize {
        self.lines.iter().map(|line| line.lost).max().unwrap_or(0)
    }

    /// The most rows that any crash repeated.
    pub fn repeated(&self) -> usize {
        self.lines.iter().map(|line| line.repeated).max().unwrap_or(0)
    }

    /// The guarantee that can be read off the table.
    pub fn guarantee(&self) -> &'static str {
        match (self.lost(), self.repeated()) {
            (0, 0) => "nothing lost, nothing repeated",
            (0, _) => "at least once: nothing lost, some repeated",
            (_, 0) => "at most once: nothing repeated, some lost",
            _ => "none: some lost, and some repeated",
        }
    }
}

impl fmt::Display for CrashTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}, {} records, one crash, then a restart", self.title, self.records)?;
        writeln!(f, "  crash after   lost   repeated")?;
        for CrashLine { after, lost, repeated, first_lost } in &self.lines {
            write!(f, "  {:<11}   {lost:>4}   {repeated:>8}", after.name())?;
            if let Some((partition, offset)) = first_lost {
                write!(f, "   from partition {partition}, offset {offset}")?;
            }
            writeln!(f)?;
        }
        write!(f, "  guarantee: {}", self.guarantee())
    }
}

/// Crashes a loop in memory once behind each of its calls, restarts it each time, and reads to the
/// end. `turn` is one turn of the loop.
pub async fn crash_table(
    title: &str,
    turn: impl AsyncFn(&mut Crashing<Memory>) -> Result<usize, Stopped<Never>>,
) -> CrashTable {
    let mut uncrashed = Crashing::new(Memory::unread(), Crash::Never);
    run_to_the_end(&mut uncrashed, &turn).await;
    let mut worst: BTreeMap<Effect, CrashLine> = BTreeMap::new();
    for (index, &after) in uncrashed.calls().iter().enumerate() {
        let memory = crash_once(index + 1, &turn).await;
        let (lost, repeated) = (memory.lost(), memory.repeated());
        let line = worst.entry(after).or_insert(CrashLine {
            after,
            lost: 0,
            repeated: 0,
            first_lost: None,
        });
        line.repeated = line.repeated.max(repeated);
        if lost.len() > line.lost {
            (line.lost, line.first_lost) = (lost.len(), lost.first().copied());
        }
    }
    CrashTable { title: title.to_owned(), records: RECORDS, lines: worst.into_values().collect() }
}

async fn crash_once(
    call: usize,
    turn: &impl AsyncFn(&mut Crashing<Memory>) -> Result<usize, Stopped<Never>>,
) -> Memory {
    let mut crashed = Crashing::new(Memory::unread(), Crash::AfterCall(call));
    run_to_the_end(&mut crashed, turn).await;
    let mut memory = crashed.into_inner();
    memory.restart();
    let mut restarted = Crashing::new(memory, Crash::Never);
    run_to_the_end(&mut restarted, turn).await;
    restarted.into_inner()
}

/// Turns until a poll finds nothing, or the loop has crashed.
async fn run_to_the_end(
    effects: &mut Crashing<Memory>,
    turn: &impl AsyncFn(&mut Crashing<Memory>) -> Result<usize, Stopped<Never>>,
) {
    for _ in 0..MAX_TURNS {
        let answer = turn(effects).await;
        if answer.is_err() || effects.is_over() || effects.inner().last_poll == 0 {
            return;
        }
    }
}
