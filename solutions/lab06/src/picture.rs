//! Given: the end of a run as text, from the tables.

use std::error::Error;
use std::io::Write;

use lab05::tables::{DROPPED, RESULTS};
use lab06::job::Ended;
use runs::{BoardTables, RunSchema};
use tokio_postgres::Client;

use crate::setting::records_until;

/// Draws the week and the last windows of the table, and says what became of all records.
pub async fn draw(
    schema: &RunSchema,
    ended: &Ended,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    let database = schema.connect().await?;
    let tables = tables_of(schema);
    tables.draw_week(&database, out).await?;
    tables.draw_last_windows(&database, out).await?;
    let Ended { progress, checkpoint } = ended;
    writeln!(
        out,
        "\nCheckpoint {}: {} records read, {} of them by this run, {} of them late:",
        checkpoint.id,
        records_until(checkpoint),
        progress.read,
        checkpoint.counts.late
    )?;
    whereabouts(schema, &database, out).await?;
    let in_open = if checkpoint.finished { 0 } else { progress.in_open_windows };
    writeln!(out, " {in_open:>8} in windows that have not fired")?;
    writeln!(out, "\nLook: make psql, then")?;
    writeln!(
        out,
        "SELECT id, taken, convert_from(body, 'UTF8') FROM {}.checkpoints;",
        schema.name()
    )?;
    Ok(())
}

/// The tables of the board.
pub fn tables_of(schema: &RunSchema) -> BoardTables<'_> {
    BoardTables { schema, results: RESULTS, dropped: DROPPED }
}

/// Says how many records are where.
pub async fn whereabouts(
    schema: &RunSchema,
    database: &Client,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    tables_of(schema).write_totals(database, out).await?;
    let dead_letters = database.query_one("SELECT count(*) FROM dead_letters", &[]).await?;
    writeln!(out, " {:>8} in {}.dead_letters", dead_letters.get::<_, i64>(0), schema.name())?;
    Ok(())
}
