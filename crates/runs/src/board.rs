//! A departure board as text, from the tables that a job has written.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::io::Write;

use tokio_postgres::{Client, Row};

use crate::RunSchema;

/// So many windows are drawn: the last that have fired.
const WINDOWS: i64 = 3;

/// The length of a bar for all flights of a window.
const BAR: usize = 20;

/// The shares of late departures from which a shade is drawn, in per cent, the darkest first.
const SHADES: [(i64, char); 5] = [(80, '█'), (60, '▓'), (40, '▒'), (20, '░'), (0, '·')];

/// The tables of a board.
#[derive(Clone, Copy)]
pub struct BoardTables<'a> {
    /// Where they are.
    pub schema: &'a RunSchema,
    /// The results by window and airport.
    pub results: &'a str,
    /// The records in no window.
    pub dropped: &'a str,
}

impl BoardTables<'_> {
    /// A line for each day, and in it a sign for each hour of each airport. The figures of shorter windows
    /// are merged; a longer one is drawn in the hour in which it begins.
    ///
    /// # Errors
    /// When a table cannot be read, or nobody reads what is written.
    pub async fn draw_week(
        &self,
        database: &Client,
        out: &mut impl Write,
    ) -> Result<(), Box<dyn Error>> {
        let hours = format!(
            "SELECT to_char(window_start AT TIME ZONE 'UTC', 'MM-DD'), origin, \
                 extract(hour FROM window_start AT TIME ZONE 'UTC')::integer, \
                 (100 * sum(over_15_min) / sum(count))::bigint \
             FROM {} GROUP BY 1, 2, 3",
            self.results
        );
        let mut airports = BTreeSet::new();
        let mut days: BTreeMap<String, BTreeMap<(String, i32), char>> = BTreeMap::new();
        for row in database.query(&hours, &[]).await? {
            let (day, airport, hour, percent): (_, String, _, i64) =
                (row.get(0), row.get(1), row.get(2), row.get(3));
            airports.insert(airport.clone());
            days.entry(day).or_default().insert((airport, hour), shade(percent));
        }
        let titles: Vec<String> = airports.iter().map(|airport| format!("{airport:<24}")).collect();
        let scale = vec!["00    06    12    18    "; airports.len()];
        writeln!(out, "\nDepartures more than 15 min late, by hour of the slot, UTC")?;
        writeln!(out, "       {}", titles.join("  ").trim_end())?;
        writeln!(out, "       {}", scale.join("  ").trim_end())?;
        for (day, hours) in days {
            let sign = |airport: &String, hour| hours.get(&(airport.clone(), hour)).unwrap_or(&' ');
            let of_airport = |airport| (0..24).map(|hour| *sign(airport, hour)).collect::<String>();
            let line = airports.iter().map(of_airport).collect::<Vec<_>>().join("  ");
            writeln!(out, " {day} {}", line.trim_end())?;
        }
        writeln!(out, " · under 20 %   ░ from 20 %   ▒ 40 %   ▓ 60 %   █ 80 %   blank: no row")?;
        Ok(())
    }

    /// The last windows, a line for each airport.
    ///
    /// # Errors
    /// Those of [`draw_week`](BoardTables::draw_week).
    pub async fn draw_last_windows(
        &self,
        database: &Client,
        out: &mut impl Write,
    ) -> Result<(), Box<dyn Error>> {
        let results = self.results;
        let last = format!(
            "SELECT to_char(window_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'), origin, count, \
                 mean_delay_min, worst_delay_min, over_15_min, revision \
             FROM {results} WHERE window_start IN \
                 (SELECT DISTINCT window_start FROM {results} ORDER BY window_start DESC LIMIT $1) \
             ORDER BY window_start, origin"
        );
        writeln!(
            out,
            "\n from              airport   left   mean   worst   more than 15 min late"
        )?;
        let mut before = String::new();
        for row in database.query(&last, &[&WINDOWS]).await? {
            let from: String = row.get(0);
            let shown = if from == before { "" } else { &from };
            writeln!(out, " {shown:<16}  {}", line(&row))?;
            before = from;
        }
        Ok(())
    }

    /// How many records are in which table, a line each.
    ///
    /// # Errors
    /// Those of [`draw_week`](BoardTables::draw_week).
    pub async fn write_totals(
        &self,
        database: &Client,
        out: &mut impl Write,
    ) -> Result<(), Box<dyn Error>> {
        let BoardTables { schema, results, dropped } = *self;
        let schema = schema.name();
        let totals = format!(
            "SELECT count(*), coalesce(sum(count), 0)::bigint, count(*) FILTER (WHERE revision > 1) \
             FROM {results}"
        );
        let totals = database.query_one(&totals, &[]).await?;
        let (rows, counted, revised): (i64, i64, i64) =
            (totals.get(0), totals.get(1), totals.get(2));
        writeln!(
            out,
            " {counted:>8} in {rows} rows of {schema}.{results}, {revised} of them corrected"
        )?;
        let by_reason =
            format!("SELECT reason, count(*) FROM {dropped} GROUP BY reason ORDER BY reason");
        for row in database.query(&by_reason, &[]).await? {
            let (reason, records): (String, i64) = (row.get(0), row.get(1));
            writeln!(out, " {records:>8} in {schema}.{dropped}: {reason}")?;
        }
        Ok(())
    }
}

fn shade(percent: i64) -> char {
    SHADES.iter().find(|(from, _)| *from <= percent).map_or(' ', |(_, sign)| *sign)
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
