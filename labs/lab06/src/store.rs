//! Step 2: results, dropped records, state and offsets in one transaction.

use lab05::board::DroppedRecord;
use lab05::firing::WindowResult;
use thiserror::Error;
use tokio_postgres::Client;

use crate::fencing::{Epoch, FencingError};
use crate::state::Checkpoint;

/// The table of the records that are no flights.
pub const DEAD_LETTERS: &str = "dead_letters";

/// Given: a process that was stopped within a transaction, and only seems dead, holds the row of its
/// epoch. After this setting of a connection the database lets it go in time, and another instance can
/// begin.
pub const LET_GO: &str = "SET idle_in_transaction_session_timeout = '10s'";

/// So many checkpoints of a job are kept. The newest is for recovery, the others for its damage.
pub const KEPT_CHECKPOINTS: u64 = 3;

/// A record that is no flight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableRecord {
    /// Its partition.
    pub partition: i32,
    /// Its place in the partition.
    pub offset: i64,
    /// Why it is none.
    pub reason: String,
}

// ANCHOR: output
/// What a job gives out between two checkpoints.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Output {
    /// Results, corrections among them, in order.
    pub results: Vec<WindowResult>,
    /// Records in no window.
    pub dropped: Vec<DroppedRecord>,
    /// Records that are no flight. On a topic of dead letters they would lie outside of the
    /// transaction, and be there twice after a crash; so they are rows.
    pub unreadable: Vec<UnreadableRecord>,
}
// ANCHOR_END: output

/// Which instance of which job writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writer {
    /// The job's name. It must be the only one of that name on its tables.
    pub job: String,
    /// The epoch of this instance; `None` where nobody is fenced off, which is before step 6.
    pub epoch: Option<Epoch>,
}

/// Why nothing was written, or nobody knows.
#[derive(Debug, Error)]
pub enum StoreError {
    /// A table is there with other columns.
    #[error(transparent)]
    Table(#[from] lab05::tables::TableError),
    /// A table of the job is gone, and others are there that speak of what was in it.
    #[error(
        "table `{table}` is gone, and other tables of this lab are there; drop all but `job_epochs` to \
         begin anew"
    )]
    Lost {
        /// The table.
        table: &'static str,
    },
    /// The job has a checkpoint of this number or a larger one: another instance has read from the
    /// same place and was faster. Nothing of this one's transaction is there.
    #[error(
        "job `{job}` has checkpoint {id} or a later one already: another instance of this name is at \
         work"
    )]
    AlreadyThere {
        /// The job.
        job: String,
        /// The checkpoint's number.
        id: u64,
    },
    /// This instance may not write any more.
    #[error(transparent)]
    Fenced(#[from] FencingError),
    /// The database refused, or is gone: nothing of the transaction is there.
    #[error("checkpoint {id} is not written: {}", lab02::table::in_words(.source))]
    NotWritten {
        /// The checkpoint's number.
        id: u64,
        /// The database's reason.
        source: tokio_postgres::Error,
    },
    /// The commit was sent, and the connection ended before its answer: all of it is there, or
    /// nothing. The next start finds out.
    #[error("nobody knows whether the commit has happened: {}", lab02::table::in_words(.0))]
    Unanswered(tokio_postgres::Error),
    /// The database refused to make a table, or is gone.
    #[error("the database: {}", lab02::table::in_words(.0))]
    Database(#[from] tokio_postgres::Error),
}

/// Given: makes all tables unless they are there: those of lab 05, and `checkpoints`,
/// `dead_letters` and `job_epochs`. All of them, or none: one transaction, in which nobody else makes
/// tables.
///
/// # Errors
/// [`StoreError::Lost`] when only some of them are there;
/// [`StoreError::Table`] and [`StoreError::Database`] when the database refuses, or is gone.
pub async fn ensure_tables(database: &Client) -> Result<(), StoreError> {
    use lab05::tables::LOCK;

    database.batch_execute(&format!("BEGIN; {LOCK}")).await?;
    end(database, make_tables(database).await).await
}

/// Given: empties all tables but `job_epochs`, so that an earlier instance finds out. One transaction,
/// in which the writer's epoch is looked at: who only seemed dead empties nothing.
///
/// # Errors
/// [`StoreError::Fenced`] when a newer instance was started;
/// [`StoreError::Database`] when the database refuses, or is gone.
pub async fn empty(database: &Client, writer: &Writer) -> Result<(), StoreError> {
    database.batch_execute(&format!("{LET_GO}; BEGIN")).await?;
    end(database, empty_within(database, writer).await).await
}

async fn empty_within(database: &Client, writer: &Writer) -> Result<(), StoreError> {
    use crate::fencing::check;

    const EMPTY: &str = "
        TRUNCATE processed_events_aggregated, dropped_records, dead_letters, checkpoints";
    if let Some(epoch) = writer.epoch {
        check(database, &writer.job, epoch).await.map_err(|error| match error {
            FencingError::Database(source) => StoreError::Database(source),
            fenced => StoreError::Fenced(fenced),
        })?;
    }
    Ok(database.batch_execute(EMPTY).await?)
}

/// Commits a transaction in which all went well, and rolls back any other.
async fn end(database: &Client, outcome: Result<(), StoreError>) -> Result<(), StoreError> {
    match outcome {
        Ok(()) => Ok(database.batch_execute("COMMIT").await?),
        Err(error) => {
            roll_back(database).await;
            Err(error)
        }
    }
}

/// Given: rolls a transaction back. Where the connection is gone, so is the transaction.
pub(crate) async fn roll_back(database: &Client) {
    let _ = database.batch_execute("ROLLBACK").await;
}

async fn make_tables(database: &Client) -> Result<(), StoreError> {
    const TABLES: &str = "
        CREATE TABLE IF NOT EXISTS checkpoints (
            job text NOT NULL, id bigint NOT NULL, taken timestamptz NOT NULL DEFAULT now(),
            body bytea NOT NULL, PRIMARY KEY (job, id)
        );
        CREATE TABLE IF NOT EXISTS dead_letters (
            topic text NOT NULL, partition integer NOT NULL, record_offset bigint NOT NULL,
            reason text NOT NULL, PRIMARY KEY (topic, partition, record_offset)
        );
        CREATE TABLE IF NOT EXISTS job_epochs (job text PRIMARY KEY, epoch bigint NOT NULL)";
    check_none_is_lost(database).await?;
    lab05::tables::ensure_tables(database).await?;
    Ok(database.batch_execute(TABLES).await?)
}

/// The three tables of this lab are made as one. So where `checkpoints` or `dead_letters` is there, all
/// were, and those of lab 05 before them. `job_epochs` outlives them where somebody begins anew.
async fn check_none_is_lost(database: &Client) -> Result<(), StoreError> {
    const IS_THERE: &str = "SELECT to_regclass($1::text) IS NOT NULL";
    const OWN: [&str; 2] = ["checkpoints", DEAD_LETTERS];
    let others = [lab05::tables::RESULTS, lab05::tables::DROPPED, "job_epochs"];
    let mut missing = Vec::new();
    for table in others.into_iter().chain(OWN) {
        if !database.query_one(IS_THERE, &[&table]).await?.get::<_, bool>(0) {
            missing.push(table);
        }
    }
    let none_was_made = OWN.iter().all(|table| missing.contains(table));
    match missing.first() {
        Some(table) if !none_was_made => Err(StoreError::Lost { table }),
        _ => Ok(()),
    }
}

/// Opens a transaction and writes all that is given into it, by [`write_all`]. Nothing of it can be
/// seen before [`commit`].
///
/// # Errors
/// Those of [`write_all`]: the transaction is rolled back, and the connection can take the next one.
pub async fn write(
    database: &Client,
    writer: &Writer,
    output: &Output,
    checkpoint: &Checkpoint,
) -> Result<(), StoreError> {
    // `BEGIN` and `ROLLBACK` are statements like others (`batch_execute`). What must be inside, and
    // what does the connection do next if it is left in a transaction that has failed?
    let _ = (database, writer, output);
    todo!("step 2: open a transaction and write checkpoint {} into it", checkpoint.id)
}

/// Commits what [`write()`] has written.
///
/// # Errors
/// [`StoreError::Unanswered`] when the database answers with an error, or not at all. In a failed
/// transaction, or outside one, it answers without an error: only to be called where [`write()`] was
/// `Ok`.
pub async fn commit(database: &Client) -> Result<(), StoreError> {
    // One statement. An error here is of another kind than in `write`: what do you know after it?
    let _ = database;
    todo!("step 2: commit what was written")
}

/// Writes everything within an open transaction: the output, and the checkpoint with its offsets.
/// Of the job's checkpoints the newest [`KEPT_CHECKPOINTS`] stay. A writer that has an epoch is
/// looked at first, by [`check`](crate::fencing::check).
///
/// # Errors
/// - [`StoreError::AlreadyThere`] when the job has a checkpoint of this number or a larger one.
/// - [`StoreError::Table`], [`StoreError::NotWritten`] when the database refuses, or is gone.
/// - [`StoreError::Fenced`] when a newer instance was started.
pub async fn write_all(
    database: &Client,
    writer: &Writer,
    output: &Output,
    checkpoint: &Checkpoint,
) -> Result<(), StoreError> {
    // Lab 05's `write_results` and `write_dropped`, `write_unreadable` below, and a row of
    // `checkpoints`. The oldest checkpoints go: of which job, and up to which number?
    // And who may write at all? `check` is a hole of step 6, and is only called for a writer with an
    // epoch, which none has before.
    let _ = (database, writer, output);
    todo!("step 2: write the output and checkpoint {} into the open transaction", checkpoint.id)
}

/// Given: the bytes of a job's checkpoints with their numbers, the newest first.
///
/// # Errors
/// When the database refuses, or is gone.
pub async fn stored(
    database: &Client,
    job: &str,
) -> Result<Vec<(u64, Vec<u8>)>, tokio_postgres::Error> {
    const ALL: &str = "SELECT id, body FROM checkpoints WHERE job = $1 ORDER BY id DESC";
    let rows = database.query(ALL, &[&job]).await?;
    Ok(rows.iter().map(|row| (row.get::<_, i64>(0).unsigned_abs(), row.get(1))).collect())
}

/// Given: the number of a job's newest checkpoint, 0 where it has none.
///
/// # Errors
/// When the database refuses, or is gone.
pub async fn newest_id(database: &Client, job: &str) -> Result<u64, tokio_postgres::Error> {
    const NEWEST: &str = "SELECT coalesce(max(id), 0) FROM checkpoints WHERE job = $1";
    let row = database.query_one(NEWEST, &[&job]).await?;
    Ok(row.get::<_, i64>(0).unsigned_abs())
}

/// Given: writes the records that are no flights and are not there yet, within a transaction.
///
/// # Errors
/// When the database refuses, or is gone.
pub async fn write_unreadable(
    database: &Client,
    topic: &str,
    records: &[UnreadableRecord],
) -> Result<(), tokio_postgres::Error> {
    const INSERT: &str = "
        INSERT INTO dead_letters (topic, partition, record_offset, reason)
        SELECT $1::text, * FROM unnest($2::integer[], $3::bigint[], $4::text[])
        ON CONFLICT (topic, partition, record_offset) DO NOTHING";

    if records.is_empty() {
        return Ok(());
    }
    let partitions: Vec<i32> = records.iter().map(|record| record.partition).collect();
    let offsets: Vec<i64> = records.iter().map(|record| record.offset).collect();
    // A text of PostgreSQL holds no zero byte.
    let reasons: Vec<String> =
        records.iter().map(|record| record.reason.replace('\0', "\u{fffd}")).collect();
    database.execute(INSERT, &[&topic, &partitions, &offsets, &reasons]).await?;
    Ok(())
}
