//! Step 2: at most once and at least once.
//!
//! A job's loop has four effects on the world: it polls, processes, writes and commits. Which
//! guarantee it gives is decided by the order of these lines and by nothing else.

use crate::progress::Offsets;

// ANCHOR: effects
/// A record as a poll gives it out.
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

/// What a job's loop does to the world, one call each.
///
/// A job on Kafka and PostgreSQL has these effects, and so has a simulation in memory. A test can
/// stand between the loop and the world, and crash the loop after any call.
#[expect(async_fn_in_trait, reason = "the loop runs where it is called and is never spawned")]
pub trait Effects {
    /// What a record is made into, and what is written.
    type Row;
    /// Why an effect failed.
    type Error;

    /// The next records, none where there are none at the moment. The position moves behind them,
    /// in memory alone: what is not committed is read again after a restart.
    async fn poll(&mut self) -> Result<Vec<Record>, Self::Error>;

    /// Makes a row of a record. Nothing outside of this process changes.
    fn process(&mut self, record: &Record) -> Result<Self::Row, Self::Error>;

    /// Writes the rows of a turn, all or none of them. Two writes in a turn are two effects, and a
    /// crash fits between them.
    async fn write(&mut self, rows: &[Self::Row]) -> Result<(), Self::Error>;

    /// Commits: after a restart, each of these partitions is read from the offset given here.
    async fn commit(&mut self, next: &Offsets) -> Result<(), Self::Error>;
}
// ANCHOR_END: effects

/// One turn of a loop that loses nothing: each record is written at least once, wherever it
/// crashes. Gives the number of records polled; where there are none, nothing is written and
/// nothing is committed.
///
/// # Errors
/// The first effect that fails ends the turn, and no effect follows it.
pub async fn at_least_once<E: Effects>(effects: &mut E) -> Result<usize, E::Error> {
    // Four effects, one order. `Progress` of step 1 says what may be committed.
    // Go through your lines, and switch the machine off behind each of them: what does the next
    // process read, and what is in the table by then?
    let _ = effects;
    todo!("step 2: poll, and then process, write and commit such that nothing is lost")
}

/// One turn of a loop that repeats nothing: each record is written at most once, wherever it
/// crashes, and none is processed that a restart would process again. Gives the number of records
/// polled; where there are none, nothing is written and nothing is committed.
///
/// # Errors
/// The first effect that fails ends the turn, and no effect follows it.
pub async fn at_most_once<E: Effects>(effects: &mut E) -> Result<usize, E::Error> {
    // The same four effects. Which one has to move, and to where?
    let _ = effects;
    todo!("step 2: poll, and then process, write and commit such that nothing is repeated")
}
