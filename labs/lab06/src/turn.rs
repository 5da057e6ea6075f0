//! Step 4: the loop, in an order that survives a crash between any two of its lines.

use std::time::Duration;

use crate::state::Checkpoint;

// ANCHOR: effects
/// A record as the source gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its partition.
    pub partition: i32,
    /// Its place in the partition.
    pub offset: i64,
    /// Its timestamp, in milliseconds since the epoch, UTC; -1 where it has none.
    pub timestamp_ms: i64,
    /// Its payload; empty where it has none.
    pub payload: Vec<u8>,
}

/// What a job is given, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A record.
    Record(Record),
    /// The reader's clock: so long since the job began.
    Time(Duration),
    /// A partition of a bounded input was read to its end.
    EndOf(i32),
}

/// What a job's loop does, one call each.
///
/// A job on Kafka and PostgreSQL has these effects, and so has a simulation in memory. A test can
/// stand between the loop and the world, and crash the loop after any call.
#[expect(async_fn_in_trait, reason = "the loop runs where it is called and is never spawned")]
pub trait Effects {
    /// What one input brings about: results, a dropped record, a record that is no flight.
    type Outcome;
    /// Why an effect failed.
    type Error;

    /// The next inputs. The consumer's position moves behind *all* of them, and may be further.
    async fn poll(&mut self) -> Result<Vec<Input>, Self::Error>;

    /// Takes one input into windows, watermarks and counters, in memory alone. The offsets of the
    /// next checkpoint stay where they are.
    fn process(&mut self, input: &Input) -> Result<Self::Outcome, Self::Error>;

    /// Moves the offset of the next checkpoint behind a record, in memory alone.
    fn advance(&mut self, record: &Record);

    /// Puts an outcome with those that wait for the next write.
    fn emit(&mut self, outcome: Self::Outcome);

    /// Tells the board that a bounded input has ended, in memory alone.
    fn end(&mut self) -> Self::Outcome;

    /// Whether it is time for a checkpoint.
    fn is_due(&self) -> bool;

    /// Takes a checkpoint of the state as it is now, in memory alone.
    fn snapshot(&mut self) -> Checkpoint;

    /// Opens a transaction and writes into it: all outcomes that wait, and the checkpoint.
    async fn write(&mut self, checkpoint: &Checkpoint) -> Result<(), Self::Error>;

    /// Commits the transaction. When this returns, all of it is there; the outcomes wait no more.
    async fn commit(&mut self) -> Result<(), Self::Error>;
}
// ANCHOR_END: effects

/// One turn: polls, takes one input after the other, and makes a checkpoint whenever one is due,
/// between any two inputs. Gives the number of inputs.
///
/// # Errors
/// The first effect that fails ends the turn, and no effect follows it. From then on the state in
/// memory is ahead of what is written, and nobody may go on with it: whoever starts the job again
/// begins with the last checkpoint.
pub async fn turn<E: Effects>(effects: &mut E) -> Result<usize, E::Error> {
    // A checkpoint may be due between any two inputs of a poll. Switch the machine off behind it: are
    // the offsets, the state and what was emitted then of the same moment?
    let _ = effects;
    todo!("step 4: poll, then process, emit and advance, and make a checkpoint when one is due")
}

/// Writes what waits together with the state that it came from, and commits both as one.
///
/// # Errors
/// Those of [`turn`].
pub async fn checkpoint<E: Effects>(effects: &mut E) -> Result<(), E::Error> {
    // Three effects. Which of them may be repeated when it has failed, and which not?
    let _ = effects;
    todo!("step 4: take a snapshot, write it, commit it")
}

/// The end of a bounded input: every window that has not fired does so, and these results are written
/// together with a checkpoint of the state as it was *before*, marked as finished. So the final
/// watermark is in no checkpoint, and a job can go on from this one when records are added.
///
/// # Errors
/// Those of [`turn`].
pub async fn finish<E: Effects>(effects: &mut E) -> Result<(), E::Error> {
    // The end brings results that belong into the table. It also brings a watermark that must never
    // be in a checkpoint. Both in one transaction.
    let _ = effects;
    todo!("step 4: tell the board of the end, and write what it gives with the state before it")
}
