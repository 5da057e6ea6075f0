//! Given: the table that the job writes to, and how it is reached.

use thiserror::Error;
use tokio_postgres::{Client, Config, NoTls};

/// The columns of `processed_events` and their types, in order.
///
/// `departed` is the record's own timestamp, `scheduled` the event time. Where the record lay says
/// which one it was; nothing keeps a record from being there twice. That is lab 03.
pub const COLUMNS: [(&str, &str); 12] = [
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

/// Why there is no table to write to, or nothing was written.
#[derive(Debug, Error)]
pub enum TableError {
    /// The table is there, with other columns. Nothing was changed.
    #[error("table `processed_events` has the columns {found}, expected {expected}")]
    OtherShape {
        /// The columns that were expected, with their types.
        expected: String,
        /// The columns that it has.
        found: String,
    },
    /// The database refused, or is gone.
    #[error("the database: {}", in_words(.0))]
    Database(#[from] tokio_postgres::Error),
}

/// An error of the database as one sentence: the server's own words where it gave some.
pub fn in_words(error: &tokio_postgres::Error) -> String {
    if let Some(refusal) = error.as_db_error() {
        return refusal.message().to_owned();
    }
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// Connects to the database. The connection ends when its client is dropped.
///
/// # Errors
/// When the database cannot be reached or refuses.
pub async fn connect(config: &Config) -> Result<Client, TableError> {
    let (client, connection) = config.connect(NoTls).await?;
    // Whoever uses the client next hears of an error of the connection.
    tokio::spawn(connection);
    Ok(client)
}

/// Makes the table `processed_events`, in the first schema of the connection's search path, unless
/// there is one.
///
/// # Errors
/// - [`TableError::OtherShape`] when it is there with other columns.
/// - [`TableError::Database`] when the database refuses, or is gone.
pub async fn ensure_table(database: &Client) -> Result<(), TableError> {
    let mut found = columns(database).await?;
    if found.is_empty() {
        let columns = COLUMNS.map(|(name, kind)| {
            let may_be_null = name == "tail";
            format!("{name} {kind}{}", if may_be_null { "" } else { " NOT NULL" })
        });
        let columns = columns.join(", ");
        database
            .batch_execute(&format!("CREATE TABLE IF NOT EXISTS processed_events ({columns})"))
            .await?;
        found = self::columns(database).await?;
    }
    let expected = COLUMNS.map(|(name, kind)| format!("{name} {kind}"));
    if found != expected {
        let (expected, found) = (expected.join(", "), found.join(", "));
        return Err(TableError::OtherShape { expected, found });
    }
    Ok(())
}

/// The table's columns with their types, in order; none where there is no such table.
async fn columns(database: &Client) -> Result<Vec<String>, TableError> {
    let question = "
        SELECT attname || ' ' || format_type(atttypid, atttypmod)
        FROM pg_attribute
        WHERE attrelid = to_regclass('processed_events') AND attnum > 0 AND NOT attisdropped
        ORDER BY attnum";
    let rows = database.query(question, &[]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
