//! Given: the kills of a job, by the point where they hit, and how long each recovery took.
//!
//! They lie in a table, so that a run with `--chaos --resume` goes on where another was interrupted.

use std::error::Error;
use std::fmt::Write;
use std::time::Duration;

use runs::RunSchema;
use tokio_postgres::Client;

use crate::life::{POINTS, Point};

/// A kill.
#[derive(Debug, Clone, Copy)]
pub struct Kill {
    /// Where it hit.
    pub point: Point,
    /// How many records were processed until then.
    pub at: u64,
    /// With how many records the next life began; `None` while there was none.
    pub next_from: Option<u64>,
    /// From the kill to the moment when the job was again where it was; `None` until then.
    pub recovery: Option<Duration>,
}

/// All kills of a job.
pub struct Tally {
    database: Client,
    kills: Vec<Kill>,
}

impl Tally {
    /// The kills of earlier runs, or none when the run does not go on.
    pub async fn open(schema: &RunSchema, goes_on: bool) -> Result<Tally, Box<dyn Error>> {
        const TABLE: &str = "
            SET client_min_messages = warning;
            CREATE TABLE IF NOT EXISTS kills (
                number integer PRIMARY KEY, point text NOT NULL, processed bigint NOT NULL,
                next_from bigint, recovery_us bigint
            )";
        const ALL: &str =
            "SELECT point, processed, next_from, recovery_us FROM kills ORDER BY number";

        let database = schema.connect().await?;
        database.batch_execute(TABLE).await?;
        if !goes_on {
            database.batch_execute("TRUNCATE kills").await?;
        }
        let mut kills = Vec::new();
        for row in database.query(ALL, &[]).await? {
            let recovery_us: Option<i64> = row.get(3);
            kills.push(Kill {
                point: row.get::<_, &str>(0).parse()?,
                at: row.get::<_, i64>(1).unsigned_abs(),
                next_from: row.get::<_, Option<i64>>(2).map(i64::unsigned_abs),
                recovery: recovery_us.map(|us| Duration::from_micros(us.unsigned_abs())),
            });
        }
        Ok(Tally { database, kills })
    }

    /// All kills, in order.
    pub fn kills(&self) -> &[Kill] {
        &self.kills
    }

    /// Notes a kill.
    pub async fn add(&mut self, point: Point, at: u64) -> Result<(), Box<dyn Error>> {
        const ADD: &str = "INSERT INTO kills (number, point, processed) VALUES ($1, $2, $3)";
        let number = i32::try_from(self.kills.len())?;
        self.database.execute(ADD, &[&number, &point.name(), &i64::try_from(at)?]).await?;
        self.kills.push(Kill { point, at, next_from: None, recovery: None });
        Ok(())
    }

    /// Notes with how many records the life behind the last kill began.
    pub async fn began_from(&mut self, records: u64) -> Result<(), Box<dyn Error>> {
        const SET: &str = "UPDATE kills SET next_from = $2 WHERE number = $1";
        let Some(last) = self.kills.last_mut() else { return Ok(()) };
        last.next_from = Some(records);
        let number = i32::try_from(self.kills.len() - 1)?;
        self.database.execute(SET, &[&number, &i64::try_from(records)?]).await?;
        Ok(())
    }

    /// Notes how long the recovery of a kill took.
    pub async fn recovered(&mut self, index: usize, took: Duration) -> Result<(), Box<dyn Error>> {
        const SET: &str = "UPDATE kills SET recovery_us = $2 WHERE number = $1";
        self.kills[index].recovery = Some(took);
        let took_us = i64::try_from(took.as_micros())?;
        self.database.execute(SET, &[&i32::try_from(index)?, &took_us]).await?;
        Ok(())
    }
}

/// The kills by the point where they hit. Where the transaction of the moment may have been committed,
/// it says how often it was.
pub fn by_point(kills: &[Kill]) -> String {
    let mut text = format!("killed {} times with SIGKILL\n", kills.len());
    for point in POINTS {
        let hits: Vec<&Kill> = kills.iter().filter(|kill| kill.point == point).collect();
        let _ = write!(text, "  {:<30} {:>4}", point.text(), hits.len());
        if point == Point::InCommit {
            let there = hits.iter().filter(|kill| kill.next_from == Some(kill.at)).count();
            let _ = write!(text, "   its transaction was there afterwards: {there}");
        }
        text.push('\n');
    }
    text
}

/// The upper ends of the histogram's classes, in milliseconds.
const CLASSES_MS: [u64; 12] = [50, 100, 150, 200, 300, 400, 600, 800, 1_200, 1_600, 3_200, 6_400];

/// The length of the longest bar.
const LONGEST: usize = 40;

/// How long the recoveries took, as a histogram in text.
pub fn histogram(kills: &[Kill]) -> String {
    let mut took: Vec<Duration> = kills.iter().filter_map(|kill| kill.recovery).collect();
    took.sort_unstable();
    let (Some(worst), Some(median)) = (took.last(), took.get(took.len() / 2)) else {
        return "no recovery was measured\n".to_owned();
    };
    let mut text = format!(
        "from a kill until the job is again where it was: median {} ms, worst {} ms\n",
        median.as_millis(),
        worst.as_millis()
    );
    let class = |took: &Duration| {
        let took_ms = took.as_millis();
        CLASSES_MS.iter().position(|end| took_ms < u128::from(*end)).unwrap_or(CLASSES_MS.len())
    };
    let mut counts = [0_usize; CLASSES_MS.len() + 1];
    took.iter().for_each(|took| counts[class(took)] += 1);
    let most = counts.iter().copied().max().unwrap_or(1).max(1);
    let (first, last) = (class(&took[0]), class(worst));
    for (index, count) in counts.iter().enumerate().take(last + 1).skip(first) {
        let name = match CLASSES_MS.get(index) {
            Some(end) => format!("under {end} ms"),
            None => "longer".to_owned(),
        };
        let bar = "█".repeat((count * LONGEST).div_ceil(most));
        let _ = writeln!(text, "  {name:>14} {count:>4} {bar}");
    }
    let unknown = kills.len() - took.len();
    if unknown > 0 {
        let _ = writeln!(text, "  not measured: {unknown}");
    }
    text
}
