//! Given: back to an earlier checkpoint, with the tables as they were then.
//!
//! A job that begins with an older checkpoint, or with a savepoint, reads records again whose results
//! are in the tables. In another order, or with another bound, a record that was counted is dropped
//! now, or the other way round. So the first thing that such a job writes is its way back.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use lab05::dropped::is_gone;
use lab05::firing::{KeptWindow, WindowResult};
use lab05::tables::{DROPPED, RESULTS};
use lab05::window::Window;
use thiserror::Error;
use tokio_postgres::Client;

use crate::fencing::FencingError;
use crate::state::{Checkpoint, SavedWindow};
use crate::store::{DEAD_LETTERS, Output, StoreError, Writer, roll_back, stored, write_all};

/// Rows that a job has taken back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TakenBack {
    /// Results of windows that could still change at the checkpoint.
    pub results: u64,
    /// So many results were written as the checkpoint has them.
    pub written_again: u64,
    /// Records that were dropped after the checkpoint.
    pub dropped: u64,
    /// Records behind the checkpoint that are no flights.
    pub dead_letters: u64,
}

impl TakenBack {
    /// Whether anything was taken back.
    pub fn is_any(&self) -> bool {
        self.results + self.dropped + self.dead_letters > 0
    }
}

/// `taken back: 12 rows of processed_events_aggregated (3 written again as they were then), …`.
impl fmt::Display for TakenBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TakenBack { results, written_again, dropped, dead_letters } = self;
        write!(
            f,
            "taken back: {results} rows of {RESULTS} ({written_again} written again as they were \
             then), {dropped} of {DROPPED}, {dead_letters} of {DEAD_LETTERS}"
        )
    }
}

/// Why a job did not go back. Nothing was changed.
#[derive(Debug, Error)]
pub enum RewindError {
    /// The tables are those of a job on another topic.
    #[error(
        "the tables are of topic `{found}`, and checkpoint {id} is of `{expected}`; empty them, or go on \
         in a job of another name"
    )]
    OtherTopic {
        /// The checkpoint.
        id: u64,
        /// Its topic.
        expected: String,
        /// A topic that the tables speak of.
        found: String,
    },
    /// The tables hold more of the time before the checkpoint than it speaks of.
    #[error(
        "the tables are another job's: until checkpoint {id}, `{table}` can have {expected} records \
         at most, and has {found}; empty them, or go on in a job of another name"
    )]
    OtherTables {
        /// The checkpoint.
        id: u64,
        /// The first table that holds too many.
        table: &'static str,
        /// How many there are at most.
        expected: u64,
        /// How many there are.
        found: u64,
    },
    /// The checkpoint could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Opens a transaction and writes into it: the tables as they were at the checkpoint `back_to`, and the
/// first checkpoint from there. Nothing of it can be seen before [`commit`](crate::store::commit).
///
/// # Errors
/// [`RewindError`]: the transaction is rolled back, and the connection can take the next one.
pub async fn write(
    database: &Client,
    writer: &Writer,
    back_to: &Checkpoint,
    first: &Checkpoint,
) -> Result<TakenBack, RewindError> {
    database.batch_execute("BEGIN").await.map_err(|source| not_written(first, source))?;
    let written = write_within(database, writer, back_to, first).await;
    if written.is_err() {
        roll_back(database).await;
    }
    written
}

async fn write_within(
    database: &Client,
    writer: &Writer,
    back_to: &Checkpoint,
    first: &Checkpoint,
) -> Result<TakenBack, RewindError> {
    use crate::fencing::check;

    // First of all: the newest instance may wait for a row that is locked here.
    if let Some(epoch) = writer.epoch {
        check(database, &writer.job, epoch).await.map_err(|error| match error {
            FencingError::Database(source) => not_written(first, source),
            fenced => StoreError::Fenced(fenced),
        })?;
    }
    let topics = topics(database, writer).await.map_err(|source| not_written(first, source))?;
    if let Some(found) = topics.into_iter().find(|topic| *topic != back_to.topic) {
        let (id, expected) = (back_to.id, back_to.topic.clone());
        return Err(RewindError::OtherTopic { id, expected, found });
    }
    let taken = take_back(database, back_to).await.map_err(|source| not_written(first, source))?;
    let held = held(database).await.map_err(|source| not_written(first, source))?;
    for ((table, found), expected) in held.into_iter().zip(given_out(back_to)) {
        if found > expected {
            return Err(RewindError::OtherTables { id: back_to.id, table, expected, found });
        }
    }
    forget_others(database, writer, back_to, first)
        .await
        .map_err(|source| not_written(first, source))?;
    let results = fired(back_to);
    let written_again = results.len() as u64;
    write_all(database, writer, &Output { results, ..Output::default() }, first).await?;
    Ok(TakenBack { written_again, ..taken })
}

fn not_written(checkpoint: &Checkpoint, source: tokio_postgres::Error) -> StoreError {
    StoreError::NotWritten { id: checkpoint.id, source }
}

/// Deletes what can only have been written after the checkpoint, and the results of all windows that
/// could still change then.
async fn take_back(
    database: &Client,
    checkpoint: &Checkpoint,
) -> Result<TakenBack, tokio_postgres::Error> {
    const ALL_RESULTS: &str = "DELETE FROM processed_events_aggregated";
    const RESULTS_FROM: &str = "
        DELETE FROM processed_events_aggregated
        WHERE extract(epoch FROM window_end) * 1000 > $1::bigint";

    let results = match checkpoint.watermark_ms {
        None => database.execute(ALL_RESULTS, &[]).await?,
        Some(watermark_ms) => {
            let gone_until_ms = watermark_ms.saturating_sub(checkpoint.allowed_lateness_ms);
            database.execute(RESULTS_FROM, &[&gone_until_ms]).await?
        }
    };
    let dropped = take_back_places(database, DROPPED, checkpoint).await?;
    let dead_letters = take_back_places(database, DEAD_LETTERS, checkpoint).await?;
    Ok(TakenBack { results, written_again: 0, dropped, dead_letters })
}

/// The topics that the tables and the job's readable checkpoints speak of. The results name none.
async fn topics(
    database: &Client,
    writer: &Writer,
) -> Result<BTreeSet<String>, tokio_postgres::Error> {
    use crate::checkpoint::decode;

    const OF_RECORDS: &str = "
        SELECT topic FROM dropped_records UNION SELECT topic FROM dead_letters";
    let rows = database.query(OF_RECORDS, &[]).await?;
    let of_records = rows.iter().map(|row| row.get(0));
    let stored = stored(database, &writer.job).await?;
    let readable = stored.iter().filter_map(|(_, body)| decode(body).ok());
    Ok(of_records.chain(readable.map(|checkpoint| checkpoint.topic)).collect())
}

/// Deletes the checkpoints of the way that is given up: the later ones, or all where the checkpoint is
/// not among them. The tables no longer hold what they speak of. One that another instance has made
/// since this one began stays, so that `first` is refused.
async fn forget_others(
    database: &Client,
    writer: &Writer,
    back_to: &Checkpoint,
    first: &Checkpoint,
) -> Result<u64, tokio_postgres::Error> {
    use crate::checkpoint::encode;

    const OTHERS: &str = "
        DELETE FROM checkpoints
        WHERE job = $1 AND id < $4 AND (id > $2 OR NOT EXISTS
            (SELECT FROM checkpoints WHERE job = $1 AND id = $2 AND body = $3))";
    let number = |id| i64::try_from(id).expect("a job makes fewer checkpoints than that");
    let (id, first_id) = (number(back_to.id), number(first.id));
    database.execute(OTHERS, &[&writer.job, &id, &encode(back_to), &first_id]).await
}

/// Deletes the records of a table that lie at or behind the offsets of the checkpoint; all of a partition
/// that it does not know.
async fn take_back_places(
    database: &Client,
    table: &str,
    checkpoint: &Checkpoint,
) -> Result<u64, tokio_postgres::Error> {
    let partitions: Vec<i32> = checkpoint.partitions.iter().map(|it| it.partition).collect();
    let next_offsets: Vec<i64> = checkpoint.partitions.iter().map(|it| it.next_offset).collect();
    let delete = format!(
        "DELETE FROM {table} AS placed
         WHERE topic = $1 AND record_offset >= coalesce(
             (SELECT next_offset
              FROM unnest($2::integer[], $3::bigint[]) AS processed (partition, next_offset)
              WHERE processed.partition = placed.partition),
             0)"
    );
    database.execute(&delete, &[&checkpoint.topic, &partitions, &next_offsets]).await
}

/// How many records the tables hold now.
async fn held(database: &Client) -> Result<[(&'static str, u64); 3], tokio_postgres::Error> {
    const HELD: &str = "
        SELECT (SELECT coalesce(sum(count), 0)::bigint FROM processed_events_aggregated),
            (SELECT count(*) FROM dropped_records), (SELECT count(*) FROM dead_letters)";
    let row = database.query_one(HELD, &[]).await?;
    let number = |column: usize| row.get::<_, i64>(column).unsigned_abs();
    Ok([(RESULTS, number(0)), (DROPPED, number(1)), (DEAD_LETTERS, number(2))])
}

/// How many records a job has in each of these tables at its checkpoint, those of windows that can
/// still change left out. On another machine there may be fewer, for what was written elsewhere.
fn given_out(checkpoint: &Checkpoint) -> [u64; 3] {
    let counts = checkpoint.counts;
    let dropped = counts.board_counts().dropped.total();
    let keys = can_change(checkpoint).into_values().flat_map(|window| window.by_key.into_values());
    let in_them: u64 = keys.map(|kept| kept.delays.count).sum();
    [counts.read.saturating_sub(dropped).saturating_sub(in_them), dropped, counts.unreadable]
}

/// The windows that could still change at the checkpoint.
fn can_change(checkpoint: &Checkpoint) -> BTreeMap<Window, KeptWindow> {
    let allowed_lateness =
        Duration::from_millis(checkpoint.allowed_lateness_ms.max(0).unsigned_abs());
    let mut windows = SavedWindow::restored(&checkpoint.windows).windows;
    windows.retain(|window, _| !is_gone(*window, allowed_lateness, checkpoint.watermark_ms));
    windows
}

/// What these windows had given out last.
fn fired(checkpoint: &Checkpoint) -> Vec<WindowResult> {
    let mut results = Vec::new();
    for (window, kept) in can_change(checkpoint) {
        let given_out = kept.by_key.into_iter().filter(|(_, kept)| kept.revision > 0);
        results.extend(given_out.map(|(key, kept)| WindowResult {
            window,
            key,
            delays: kept.delays,
            revision: kept.revision,
        }));
    }
    results
}
