//! Step 4: tables in which repeats do no harm.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use flights::Flight;
use thiserror::Error;
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

// ANCHOR: row
/// A flight, and the place of the record that told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The record's partition.
    pub partition: i32,
    /// The record's place in the partition.
    pub offset: i64,
    /// The record's own timestamp, in milliseconds since the epoch, UTC: the departure.
    pub departed_ms: i64,
    /// The flight.
    pub flight: Flight,
}
// ANCHOR_END: row

/// Why rows could not be written. All of them were, or none: none where the database refused. Where
/// the connection broke, nobody here knows.
#[derive(Debug, Error)]
pub enum SinkError {
    /// The table is there, and is another one than this lab writes to.
    #[error("table `{table}` has another shape: expected {expected}, found {found}")]
    OtherShape {
        /// The table.
        table: &'static str,
        /// The columns and types that this lab writes.
        expected: String,
        /// The columns and types that it has.
        found: String,
    },
    /// The database refused, or cannot be reached.
    #[error("table `{table}`: {}", in_one_sentence(source))]
    Database {
        /// The table.
        table: &'static str,
        /// The client's reason.
        source: tokio_postgres::Error,
    },
}

/// One row a record: what was read. Its key is the record's place.
pub const PROCESSED_EVENTS: &str = "processed_events";

/// One row a departure: what happened. Its key is the event's own.
pub const DEPARTURES: &str = "departures";

/// The columns of both tables, with their types.
const COLUMNS: [(&str, &str); 12] = [
    ("topic", "text"),
    ("partition", "integer"),
    ("record_offset", "bigint"),
    ("departed", "timestamp with time zone"),
    ("carrier", "text"),
    ("flight", "integer"),
    ("tail", "text"),
    ("origin", "text"),
    ("dest", "text"),
    ("distance_miles", "integer"),
    ("scheduled", "timestamp with time zone"),
    ("delay_min", "integer"),
];

/// A `SELECT` that gives the rows of one write, in the columns' order.
pub const SELECT_ROWS: &str = "SELECT $1::text AS topic, * FROM unnest(\
    $2::integer[], $3::bigint[], $4::timestamptz[], $5::text[], $6::integer[], $7::text[], \
    $8::text[], $9::text[], $10::integer[], $11::timestamptz[], $12::integer[]) \
    AS rows (partition, record_offset, departed, carrier, flight, tail, \
    origin, dest, distance_miles, scheduled, delay_min)";

/// Makes both tables, in the first schema of the connection's search path, unless they are there.
///
/// # Errors
/// - [`SinkError::OtherShape`] when a table of that name is there with other columns.
/// - [`SinkError::Database`] when the database refuses.
pub async fn ensure_tables(client: &Client) -> Result<(), SinkError> {
    let keys = [
        (PROCESSED_EVENTS, "topic, partition, record_offset"),
        (DEPARTURES, "carrier, flight, origin, scheduled"),
    ];
    for (table, key) in keys {
        let failed = |source| SinkError::Database { table, source };
        let null = |name| if name == "tail" { "" } else { " NOT NULL" };
        let columns: Vec<String> =
            COLUMNS.iter().map(|(name, kind)| format!("{name} {kind}{}", null(*name))).collect();
        let columns = columns.join(", ");
        client
            .batch_execute(&format!(
                "SET client_min_messages = warning; \
                 CREATE TABLE IF NOT EXISTS {table} ({columns}, PRIMARY KEY ({key}))"
            ))
            .await
            .map_err(failed)?;
        let found = client
            .query(
                "SELECT attname || ' ' || format_type(atttypid, NULL) FROM pg_attribute \
                 WHERE attrelid = to_regclass($1::text) AND attnum > 0 AND NOT attisdropped",
                &[&table],
            )
            .await
            .map_err(failed)?;
        let found: Vec<String> = found.iter().map(|row| row.get(0)).collect();
        check_shape(table, found)?;
    }
    Ok(())
}

/// The order of columns does not matter.
fn check_shape(table: &'static str, mut found: Vec<String>) -> Result<(), SinkError> {
    let mut expected: Vec<String> =
        COLUMNS.iter().map(|(name, kind)| format!("{name} {kind}")).collect();
    expected.sort_unstable();
    found.sort_unstable();
    let missing: Vec<&str> =
        expected.iter().filter(|column| !found.contains(column)).map(String::as_str).collect();
    let unknown: Vec<&str> =
        found.iter().filter(|column| !expected.contains(column)).map(String::as_str).collect();
    if missing.is_empty() && unknown.is_empty() {
        return Ok(());
    }
    let list = |columns: Vec<&str>| match columns.is_empty() {
        true => "nothing else".to_owned(),
        false => columns.join(", "),
    };
    Err(SinkError::OtherShape { table, expected: list(missing), found: list(unknown) })
}

/// Writes one row for each record to [`PROCESSED_EVENTS`] and gives the number of those that were
/// not there yet. All rows are written, or none.
///
/// A record that is written again changes nothing: its place on the topic is the table's key.
///
/// # Errors
/// [`SinkError::Database`] when the database refuses.
pub async fn write_records(client: &Client, topic: &str, rows: &[Row]) -> Result<u64, SinkError> {
    // `columns()`, `SELECT_ROWS` and `execute` are given. What should become of a row whose key is
    // there already, and who decides it: you, by a look first, or the database?
    let _ = client;
    todo!("step 4: write {} records of {topic} to {PROCESSED_EVENTS}", rows.len())
}

/// Writes one row for each departure to [`DEPARTURES`] and gives the number of rows that are new
/// or changed. All rows are written, or none.
///
/// A flight is published again when it is corrected: another record, the same departure. Of its
/// records the one with the largest offset wins, in whatever order and however often they are
/// written. Offsets can be compared, since all records of a flight have one key and so one
/// partition.
///
/// # Errors
/// [`SinkError::Database`] when the database refuses.
pub async fn write_departures(
    client: &Client,
    topic: &str,
    rows: &[Row],
) -> Result<u64, SinkError> {
    // Here a row that is there already may have to change. When must it not? And one write may hold
    // two records of a departure: PostgreSQL refuses a statement that would change a row twice.
    // Which of the two must reach it?
    let _ = client;
    todo!("step 4: write the departures of {} records of {topic} to {DEPARTURES}", rows.len())
}

/// The names of the columns, for an `INSERT`.
pub fn columns() -> String {
    COLUMNS.map(|(name, _)| name).join(", ")
}

/// Runs a statement that holds [`SELECT_ROWS`] with these rows; gives the number of rows that it
/// wrote.
///
/// # Errors
/// [`SinkError::Database`] when the database refuses.
pub async fn execute(
    client: &Client,
    table: &'static str,
    statement: &str,
    topic: &str,
    rows: &[Row],
) -> Result<u64, SinkError> {
    fn column<'a, T>(rows: &'a [Row], value: impl Fn(&'a Row) -> T) -> Vec<T> {
        rows.iter().map(value).collect()
    }
    let values: [&(dyn ToSql + Sync); 12] = [
        &topic,
        &column(rows, |row| row.partition),
        &column(rows, |row| row.offset),
        &column(rows, |row| time(row.departed_ms)),
        &column(rows, |row| &*row.flight.carrier),
        &column(rows, |row| i32::from(row.flight.flight)),
        &column(rows, |row| row.flight.tail.as_deref()),
        &column(rows, |row| &*row.flight.origin),
        &column(rows, |row| &*row.flight.dest),
        &column(rows, |row| i32::from(row.flight.distance_miles)),
        &column(rows, |row| time(row.flight.scheduled_ms)),
        &column(rows, |row| row.flight.delay_min),
    ];
    let failed = |source| SinkError::Database { table, source };
    client.execute(statement, &values).await.map_err(failed)
}

fn time(instant_ms: i64) -> SystemTime {
    let from_epoch = Duration::from_millis(instant_ms.unsigned_abs());
    if instant_ms < 0 { UNIX_EPOCH - from_epoch } else { UNIX_EPOCH + from_epoch }
}

/// What the server said, else what the client says with its cause.
pub fn in_one_sentence(error: &tokio_postgres::Error) -> String {
    use std::error::Error;

    match (error.as_db_error(), error.source()) {
        (Some(said), _) => said.message().to_owned(),
        (None, Some(cause)) => format!("{error}: {cause}"),
        (None, None) => error.to_string(),
    }
}
