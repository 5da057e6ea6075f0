//! Given: the end of a run as text, from the tables.

use std::error::Error;
use std::io::Write;

use lab05::tables::{DROPPED, RESULTS};
use lab06::job::Ended;
use runs::RunSchema;
use tokio_postgres::{Client, Row};

use crate::setting::records_until;

/// So many windows are drawn: the last that have fired.
const WINDOWS: i64 = 3;

/// The length of a bar for all flights of a window.
const BAR: usize = 20;

/// Draws the last windows of the table, and says what became of all records.
pub async fn draw(
    schema: &RunSchema,
    ended: &Ended,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    let database = schema.connect().await?;
    board(&database, out).await?;
    let checkpoint = &ended.checkpoint;
    writeln!(
        out,
        "\nCheckpoint {}: {} records read, {} of them by this run, {} of them late:",
        checkpoint.id,
        records_until(checkpoint),
        ended.progress.read,
        checkpoint.counts.late
    )?;
    whereabouts(schema, &database, out).await?;
    let in_open = if checkpoint.finished { 0 } else { ended.progress.in_open_windows };
    writeln!(out, " {in_open:>8} in windows that have not fired")?;
    writeln!(out, "\nLook: make psql, then")?;
    writeln!(
        out,
        "SELECT id, taken, convert_from(body, 'UTF8') FROM {}.checkpoints;",
        schema.name()
    )?;
    Ok(())
}

/// Draws the last windows of the table.
pub async fn board(database: &Client, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let last = format!(
        "SELECT to_char(window_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'), origin, count, \
             mean_delay_min, worst_delay_min, over_15_min, revision \
         FROM {RESULTS} WHERE window_start IN \
             (SELECT DISTINCT window_start FROM {RESULTS} ORDER BY window_start DESC LIMIT $1) \
         ORDER BY window_start, origin"
    );
    writeln!(out, "\n from              airport   left   mean   worst   more than 15 min late")?;
    let mut before = String::new();
    for row in database.query(&last, &[&WINDOWS]).await? {
        let from: String = row.get(0);
        let shown = if from == before { "" } else { &from };
        writeln!(out, " {shown:<16}  {}", line(&row))?;
        before = from;
    }
    Ok(())
}

/// Says how many records are where.
pub async fn whereabouts(
    schema: &RunSchema,
    database: &Client,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    let totals = format!(
        "SELECT count(*), coalesce(sum(count), 0)::bigint, count(*) FILTER (WHERE revision > 1) \
         FROM {RESULTS}"
    );
    let totals = database.query_one(&totals, &[]).await?;
    let (rows, counted, revised): (i64, i64, i64) = (totals.get(0), totals.get(1), totals.get(2));
    let name = schema.name();
    writeln!(out, " {counted:>8} in {rows} rows of {name}.{RESULTS}, {revised} of them corrected")?;
    let by_reason =
        format!("SELECT reason, count(*) FROM {DROPPED} GROUP BY reason ORDER BY reason");
    for row in database.query(&by_reason, &[]).await? {
        let (reason, records): (String, i64) = (row.get(0), row.get(1));
        writeln!(out, " {records:>8} in {name}.{DROPPED}: {reason}")?;
    }
    let dead_letters = database.query_one("SELECT count(*) FROM dead_letters", &[]).await?;
    writeln!(out, " {:>8} in {name}.dead_letters", dead_letters.get::<_, i64>(0))?;
    Ok(())
}

/// ` EWR      19   +12.4    +102   ████████▌             42 %`.
fn line(row: &Row) -> String {
    let (origin, left, mean_min): (String, i64, f64) = (row.get(1), row.get(2), row.get(3));
    let (worst_min, over_15_min, revision): (i32, i64, i64) = (row.get(4), row.get(5), row.get(6));
    let share = over_15_min as f64 / left as f64;
    let full = (share * BAR as f64).round() as usize;
    let bar = format!("{}{}", "█".repeat(full), "·".repeat(BAR.saturating_sub(full)));
    let revised = if revision > 1 { format!("   revision {revision}") } else { String::new() };
    format!(
        "{origin:<7} {left:>6} {mean_min:>+6.1} {worst_min:>+7}   {bar} {:>3.0} %{revised}",
        share * 100.0
    )
}
