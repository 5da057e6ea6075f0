//! Step 7: results and dropped records in PostgreSQL.

use lab02::table::in_words;
use thiserror::Error;
use tokio_postgres::{Client, GenericClient};

use crate::board::DroppedRecord;
use crate::dropped::DropReason;
use crate::firing::WindowResult;

/// One row a window and airport: what the window said last.
pub const RESULTS: &str = "processed_events_aggregated";

/// One row a record that is in no window. Its key is the record's place.
pub const DROPPED: &str = "dropped_records";

/// The columns of [`RESULTS`] with their types. The mean is made by the database, from the two
/// columns before it: it can't disagree with them.
const RESULT_COLUMNS: [(&str, &str); 9] = [
    ("window_start", "timestamp with time zone"),
    ("window_end", "timestamp with time zone"),
    ("origin", "text"),
    ("count", "bigint"),
    ("sum_delay_min", "bigint"),
    (
        "mean_delay_min",
        "double precision GENERATED ALWAYS AS (sum_delay_min::double precision / count) STORED",
    ),
    ("worst_delay_min", "integer"),
    ("over_15_min", "bigint"),
    ("revision", "bigint"),
];

/// The columns of [`DROPPED`] with their types.
const DROPPED_COLUMNS: [(&str, &str); 5] = [
    ("topic", "text"),
    ("partition", "integer"),
    ("record_offset", "bigint"),
    ("reason", "text"),
    ("sentence", "text"),
];

// ANCHOR: table_error
/// Why rows could not be written.
#[derive(Debug, Error)]
pub enum TableError {
    /// The table is there, and is another one than this lab writes to. Nothing was changed.
    #[error("table `{table}` has the columns {found}, expected {expected}")]
    OtherShape {
        /// The table.
        table: &'static str,
        /// The columns that this lab writes, with their types.
        expected: String,
        /// The columns that it has.
        found: String,
    },
    /// The database refused, or is gone. Nothing of the batch is written.
    #[error("table `{table}`: {}", in_words(source))]
    Database {
        /// The table.
        table: &'static str,
        /// The client's reason.
        source: tokio_postgres::Error,
    },
    /// The database is gone, and nobody knows whether before or after it had written.
    #[error("the database did not confirm a batch, which is written whole or not at all: {}", in_words(.0))]
    NotConfirmed(tokio_postgres::Error),
}
// ANCHOR_END: table_error

/// Rows of either table. [`write()`] gives those that it has added or changed;
/// [`Progress`](crate::job::Progress) counts those that were handed over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Rows of [`RESULTS`].
    pub results: u64,
    /// Rows of [`DROPPED`].
    pub dropped: u64,
}

/// The lock under which tables are made. Of two that make the same table at once, one would fail, also
/// with `IF NOT EXISTS`. It is of the whole database, and PostgreSQL lets it go with the transaction:
/// several statements that are sent as one are one.
pub const LOCK: &str = "SELECT pg_advisory_xact_lock(hashtext('tidemark: tables are made'))";

/// Given: makes both tables, in the first schema of the connection's search path, unless they are
/// there.
///
/// # Errors
/// - [`TableError::OtherShape`] when a table of that name is there with other columns.
/// - [`TableError::Database`] when the database refuses, or is gone.
pub async fn ensure_tables(database: &Client) -> Result<(), TableError> {
    ensure(database, RESULTS, &RESULT_COLUMNS, "window_start, window_end, origin").await?;
    ensure(database, DROPPED, &DROPPED_COLUMNS, "topic, partition, record_offset").await
}

async fn ensure(
    database: &Client,
    table: &'static str,
    columns: &[(&str, &str)],
    key: &str,
) -> Result<(), TableError> {
    let failed = |source| TableError::Database { table, source };
    let definitions: Vec<String> =
        columns.iter().map(|(name, kind)| format!("{name} {kind} NOT NULL")).collect();
    let definitions = definitions.join(", ");
    database
        .batch_execute(&format!(
            "SET client_min_messages = warning; \
             {LOCK}; \
             CREATE TABLE IF NOT EXISTS {table} ({definitions}, PRIMARY KEY ({key}))"
        ))
        .await
        .map_err(failed)?;
    let question = "
        SELECT attname || ' ' || format_type(atttypid, atttypmod)
            || CASE attgenerated WHEN '' THEN '' ELSE ' GENERATED' END
        FROM pg_attribute
        WHERE attrelid = to_regclass($1::text) AND attnum > 0 AND NOT attisdropped
        ORDER BY attnum";
    let found = database.query(question, &[&table]).await.map_err(failed)?;
    let found: Vec<String> = found.iter().map(|row| row.get(0)).collect();
    let without_formula = |kind: &str| match kind.split_once(" ALWAYS AS ") {
        Some((kind, _)) => kind.to_owned(),
        None => kind.to_owned(),
    };
    let expected: Vec<String> =
        columns.iter().map(|(name, kind)| format!("{name} {}", without_formula(kind))).collect();
    if found == expected {
        return Ok(());
    }
    let (expected, found) = (expected.join(", "), found.join(", "));
    Err(TableError::OtherShape { table, expected, found })
}

/// The reason in the column `reason`: one word for all records of a kind, to be counted by.
pub fn kind(reason: &DropReason) -> &'static str {
    match reason {
        DropReason::WindowGone { .. } => "window_gone",
        DropReason::TooFarAhead(_) => "too_far_ahead",
        DropReason::NoWindow(_) => "no_window",
    }
}

/// Writes results to [`RESULTS`] and the dropped records of a topic to [`DROPPED`], in one
/// transaction: all of them, or none. Gives the number of rows that are new or changed.
///
/// A correction replaces what the window said before: of several revisions of one row the largest
/// stays, whether they come in one batch or in several, in whatever order and however often. Of two
/// with the same revision, that with more records stays, in one batch too: an input that had an end, at
/// which all windows fired, may go on later. A dropped record is written once.
///
/// # Errors
/// - [`TableError::Database`]: nothing of the batch is written.
/// - [`TableError::NotConfirmed`], whatever the error of the commit was: it is not known whether the
///   batch is written. It may be written again.
pub async fn write(
    database: &mut Client,
    topic: &str,
    results: &[WindowResult],
    dropped: &[DroppedRecord],
) -> Result<Written, TableError> {
    // `database.transaction()` begins one. What becomes of it when it is dropped, and what can nobody
    // say any more when its `commit` fails? An empty batch needs no question at all.
    let _ = database;
    todo!(
        "step 7: write {} results and {} dropped records of {topic}",
        results.len(),
        dropped.len()
    )
}

/// Upserts results, as a part of a transaction. Gives the number of rows that are new or changed.
///
/// # Errors
/// [`TableError::Database`].
pub async fn write_results(
    transaction: &impl GenericClient,
    results: &[WindowResult],
) -> Result<u64, TableError> {
    // An instant may lie before 1970, so it travels as a number: `'epoch'::timestamptz + $1 * interval
    // '1 millisecond'`. `column` makes a column for `unnest`. Two revisions of a row may meet in one
    // batch, or in two batches. Which one stays, and who compares?
    let _ = transaction;
    todo!("step 7: upsert {} results", results.len())
}

/// Inserts the dropped records that are not there yet, as a part of a transaction, and gives their
/// number.
///
/// # Errors
/// [`TableError::Database`].
pub async fn write_dropped(
    transaction: &impl GenericClient,
    topic: &str,
    dropped: &[DroppedRecord],
) -> Result<u64, TableError> {
    // `kind` gives the reason in one word, `to_string` the sentence. What if the record is there?
    let _ = transaction;
    todo!("step 7: insert {} dropped records of {topic}", dropped.len())
}

/// Given: one value of each row, as a column for `unnest`.
pub fn column<'a, T, V>(rows: &'a [T], value: impl Fn(&'a T) -> V) -> Vec<V> {
    rows.iter().map(value).collect()
}

/// Given: a count as PostgreSQL has it. There are never so many records that it is cut.
pub fn bigint(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
