//! Given: the end of a run as text, from the tables.

use std::error::Error;
use std::io::Write;

use lab05::job::Progress;
use lab05::tables::{DROPPED, RESULTS};
use runs::{BoardTables, RunSchema};

/// Draws the week and the last windows of the table, and says what became of all records.
pub async fn draw(
    schema: &RunSchema,
    done: &Progress,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    let database = schema.connect().await?;
    let tables = BoardTables { schema, results: RESULTS, dropped: DROPPED };
    tables.draw_week(&database, out).await?;
    tables.draw_last_windows(&database, out).await?;
    writeln!(out, "\n{} records read, {} of them late:", done.read, done.counts.late)?;
    tables.write_totals(&database, out).await?;
    writeln!(out, " {:>8} in windows that have not fired", done.in_open_windows)?;
    writeln!(out, " {:>8} dead letters", done.dead_letters)?;
    writeln!(out, "\nLook: make psql, then")?;
    writeln!(out, "SELECT * FROM {}.{RESULTS}", schema.name())?;
    writeln!(out, "ORDER BY worst_delay_min DESC LIMIT 5;")?;
    Ok(())
}
