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
    if results.is_empty() && dropped.is_empty() {
        return Ok(Written::default());
    }
    let failed = |source| TableError::Database { table: RESULTS, source };
    let transaction = database.transaction().await.map_err(failed)?;
    let written = Written {
        results: write_results(&transaction, results).await?,
        dropped: write_dropped(&transaction, topic, dropped).await?,
    };
    transaction.commit().await.map_err(TableError::NotConfirmed)?;
    Ok(written)
}

/// Upserts results, as a part of a transaction. Gives the number of rows that are new or changed.
///
/// # Errors
/// [`TableError::Database`].
pub async fn write_results(
    transaction: &impl GenericClient,
    results: &[WindowResult],
) -> Result<u64, TableError> {
    // A column each, so that the number of parameters does not grow with the batch. One statement
    // may not change a row twice, so of several revisions only the largest goes in.
    const UPSERT: &str = "
        INSERT INTO processed_events_aggregated AS kept (
            window_start, window_end, origin,
            count, sum_delay_min, worst_delay_min, over_15_min, revision
        )
        SELECT DISTINCT ON (start_ms, end_ms, origin)
            'epoch'::timestamptz + start_ms * interval '1 millisecond',
            'epoch'::timestamptz + end_ms * interval '1 millisecond',
            origin, count, sum_delay_min, worst_delay_min, over_15_min, revision
        FROM unnest(
            $1::bigint[], $2::bigint[], $3::text[],
            $4::bigint[], $5::bigint[], $6::integer[], $7::bigint[], $8::bigint[]
        ) AS results (
            start_ms, end_ms, origin,
            count, sum_delay_min, worst_delay_min, over_15_min, revision
        )
        ORDER BY start_ms, end_ms, origin, revision DESC, count DESC
        ON CONFLICT (window_start, window_end, origin) DO UPDATE SET
            count = excluded.count,
            sum_delay_min = excluded.sum_delay_min,
            worst_delay_min = excluded.worst_delay_min,
            over_15_min = excluded.over_15_min,
            revision = excluded.revision
        WHERE (kept.revision, kept.count) < (excluded.revision, excluded.count)";

    if results.is_empty() {
        return Ok(0);
    }
    transaction
        .execute(
            UPSERT,
            &[
                &column(results, |result| result.window.start_ms),
                &column(results, |result| result.window.end_ms),
                &column(results, |result| &*result.key),
                &column(results, |result| bigint(result.delays.count)),
                &column(results, |result| result.delays.sum_min),
                &column(results, |result| result.delays.worst_min),
                &column(results, |result| bigint(result.delays.over_15_min)),
                &column(results, |result| i64::from(result.revision)),
            ],
        )
        .await
        .map_err(|source| TableError::Database { table: RESULTS, source })
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
    const INSERT: &str = "
        INSERT INTO dropped_records (topic, partition, record_offset, reason, sentence)
        SELECT $1::text, * FROM unnest($2::integer[], $3::bigint[], $4::text[], $5::text[])
        ON CONFLICT (topic, partition, record_offset) DO NOTHING";

    if dropped.is_empty() {
        return Ok(0);
    }
    transaction
        .execute(
            INSERT,
            &[
                &topic,
                &column(dropped, |record| record.partition),
                &column(dropped, |record| record.offset),
                &column(dropped, |record| kind(&record.reason)),
                &column(dropped, |record| record.reason.to_string()),
            ],
        )
        .await
        .map_err(|source| TableError::Database { table: DROPPED, source })
}

/// Given: one value of each row, as a column for `unnest`.
pub fn column<'a, T, V>(rows: &'a [T], value: impl Fn(&'a T) -> V) -> Vec<V> {
    rows.iter().map(value).collect()
}

/// Given: a count as PostgreSQL has it. There are never so many records that it is cut.
pub fn bigint(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
