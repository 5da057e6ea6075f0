//! Given: `cargo run -p lab05 -- micro-batch` keeps the board by a query every few minutes, and beside
//! it by the stream of this lab.
//!
//! The clock is that of arrivals, and it stands in the records. At each tick the flights that have
//! left by then lie in a table, and PostgreSQL counts them. Kafka has no part in it.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write;
use std::time::{Duration, Instant};

use clap::Args;
use flights::Flight;
use flights::replay::arrival_order;
use flights::weeks::Week;
use lab04::guard::ALLOWED_AHEAD;
use lab05::board::{Arrival, Board, BoardConfig, Outcome};
use lab05::delays::Delays;
use lab05::firing::WindowResult;
use lab05::tables::{DROPPED, RESULTS, column, ensure_tables, write};
use rig::Rig;
use runs::{Figures, LiveLine, RunSchema};
use tokio_postgres::{Client, Row};

use crate::PACKAGE;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const HOUR: Duration = Duration::from_secs(60 * 60);
const BOUND: Duration = Duration::from_secs(15 * 60);

/// The flights that have left so far.
const FLIGHTS: &str = "micro_batch_flights";

const TABLE: &str = "
    DROP TABLE IF EXISTS micro_batch_flights;
    CREATE TABLE micro_batch_flights (
        scheduled timestamptz NOT NULL, origin text NOT NULL, delay_min integer NOT NULL
    );
    CREATE INDEX ON micro_batch_flights (scheduled)";

// ANCHOR: question
/// The board's question, of all slots since an instant.
const QUESTION: &str = "
    SELECT date_trunc('hour', scheduled, 'UTC') AS window_start, origin,
        count(*), sum(delay_min), max(delay_min), count(*) FILTER (WHERE delay_min > 15)
    FROM micro_batch_flights
    WHERE scheduled >= to_timestamp($1::bigint / 1000)
    GROUP BY 1, 2";
// ANCHOR_END: question

/// Keeps the board of a week by a query every few minutes, and by this lab's stream.
///
/// The minutes are those of the flights: nothing waits. The queries are real, and so are the flights
/// that they read and the rows that the stream writes; all of it is timed. PostgreSQL is found or
/// started by itself.
#[derive(Args)]
pub struct MicroBatch {
    /// The week: `calm` or `storm`
    #[arg(long, default_value = "storm")]
    week: Week,
    /// The minutes from one query to the next
    #[arg(long, value_name = "MINUTES", default_value_t = 5,
          value_parser = clap::value_parser!(i64).range(1..=1_440))]
    every: i64,
    /// How many hours back the second query looks
    #[arg(long, value_name = "HOURS", default_value_t = 6,
          value_parser = clap::value_parser!(i64).range(1..=168))]
    back: i64,
}

/// The start of an hour, in milliseconds since the epoch, UTC, and an airport.
type Key = (i64, String);

/// What a row of a board has said.
#[derive(Default)]
struct Said {
    latest: Delays,
    /// What it said first when its hour was over.
    when_over: Option<Delays>,
    /// How often it said something else after that.
    changes: u64,
}

/// A board as its readers see it, however it is kept, and what it costs.
#[derive(Default)]
struct Seen {
    rows: BTreeMap<Key, Said>,
    /// Rows or records that were read for it.
    read: u64,
    /// How long the flights that are counted were not on the board, one after the other.
    waits_ms: Vec<i64>,
    worked: Duration,
}

impl Seen {
    fn say(&mut self, key: Key, delays: Delays, is_over: bool) {
        let said = self.rows.entry(key).or_default();
        let is_new = said.latest != delays;
        said.latest = delays;
        match said.when_over {
            None if is_over => said.when_over = Some(delays),
            Some(_) if is_new => said.changes += 1,
            _ => {}
        }
    }

    /// How many rows were final when their hour was over.
    fn right_when_over(&self, truth: &Seen) -> usize {
        let right = |(key, said): &(&Key, &Said)| {
            said.when_over == truth.rows.get(*key).map(|said| said.latest)
        };
        self.rows.iter().filter(right).count()
    }

    fn changes(&self) -> u64 {
        self.rows.values().map(|said| said.changes).sum()
    }

    fn counted(&self) -> u64 {
        self.rows.values().map(|said| said.latest.count).sum()
    }

    fn mean_wait_min(&self) -> f64 {
        let sum_ms: i64 = self.waits_ms.iter().sum();
        sum_ms as f64 / self.waits_ms.len().max(1) as f64 / MINUTE_MS as f64
    }
}

/// Runs the comparison and prints it.
pub async fn run(arguments: &MicroBatch, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let rig = Rig::up()?;
    let schema = RunSchema::of_run(&rig, &PACKAGE.replace('-', "_")).await?;
    let database = schema.connect().await?;
    database.batch_execute(TABLE).await?;
    ensure_tables(&database).await?;
    schema.empty(&[RESULTS, DROPPED]).await?;
    let mut stream = Stream::new(schema.connect().await?)?;
    let (mut all, mut recent) = (Seen::default(), Seen::default());

    let flights = arrival_order(arguments.week.load().departed);
    let mut line = LiveLine::begin(arguments.week.title(), Some(flights.len() as u64));
    let every_ms = arguments.every * MINUTE_MS;
    let slots_ms = arguments.week.slots_ms();
    let (mut left, mut ticks) = (0, 0_u64);
    let mut now_ms = flights.first().map_or(slots_ms.start, Flight::departed_ms);
    while left < flights.len() || now_ms < slots_ms.end {
        now_ms = (now_ms.div_euclid(every_ms) + 1) * every_ms;
        let of_tick = flights[left..].partition_point(|flight| flight.departed_ms() <= now_ms);
        let of_tick = &flights[left..left + of_tick];
        let inserted = insert(&database, of_tick).await?;
        for seen in [&mut all, &mut recent] {
            seen.worked += inserted;
        }
        let since_ms = now_ms - now_ms.rem_euclid(HOUR_MS) - arguments.back * HOUR_MS;
        ask(&database, &mut all, of_tick, slots_ms.start, now_ms).await?;
        ask(&database, &mut recent, of_tick, since_ms, now_ms).await?;
        for (offset, flight) in (left as i64..).zip(of_tick) {
            stream.take(flight, offset).await?;
        }
        left += of_tick.len();
        ticks += 1;
        let lag = (flights.len() - left) as u64;
        line.show(&Figures { read: left as u64, lag, counters: &[("queries", 2 * ticks)] });
    }
    stream.end(now_ms).await?;
    line.end(&Figures { read: left as u64, lag: 0, counters: &[("queries", 2 * ticks)] });
    database.batch_execute(&format!("DROP TABLE {FLIGHTS}")).await?;
    print(arguments, ticks, &[all, recent, stream.seen], out)
}

/// Writes flights into the table that both queries read, and gives the time that it took.
async fn insert(database: &Client, flights: &[Flight]) -> Result<Duration, tokio_postgres::Error> {
    const INSERT: &str = "
        INSERT INTO micro_batch_flights
        SELECT to_timestamp(slot_ms / 1000), origin, delay_min
        FROM unnest($1::bigint[], $2::text[], $3::integer[]) AS f (slot_ms, origin, delay_min)";

    if flights.is_empty() {
        return Ok(Duration::ZERO);
    }
    let began = Instant::now();
    let slots_ms = column(flights, |flight| flight.scheduled_ms);
    let origins = column(flights, |flight| &*flight.origin);
    let delays_min = column(flights, |flight| flight.delay_min);
    database.execute(INSERT, &[&slots_ms, &origins, &delays_min]).await?;
    Ok(began.elapsed())
}

/// Asks for the slots since an instant. What is older stays on the board as it was.
async fn ask(
    database: &Client,
    seen: &mut Seen,
    of_tick: &[Flight],
    since_ms: i64,
    now_ms: i64,
) -> Result<(), tokio_postgres::Error> {
    let began = Instant::now();
    let rows = database.query(QUESTION, &[&since_ms]).await?;
    seen.worked += began.elapsed();
    for row in &rows {
        let (key, delays) = figures(row);
        seen.read += delays.count;
        let is_over = key.0 + HOUR_MS <= now_ms;
        seen.say(key, delays, is_over);
    }
    let counted = of_tick.iter().filter(|flight| flight.scheduled_ms >= since_ms);
    seen.waits_ms.extend(counted.map(|flight| now_ms - flight.departed_ms()));
    Ok(())
}

fn figures(row: &Row) -> (Key, Delays) {
    use std::time::{SystemTime, UNIX_EPOCH};

    let start = row.get::<_, SystemTime>(0).duration_since(UNIX_EPOCH).unwrap_or_default();
    let delays = Delays {
        count: row.get::<_, i64>(2).unsigned_abs(),
        sum_min: row.get(3),
        worst_min: row.get(4),
        over_15_min: row.get::<_, i64>(5).unsigned_abs(),
    };
    ((lab04::span::millis(start), row.get(1)), delays)
}

/// The board of this lab on one partition, which writes what it says as soon as it says it.
struct Stream {
    board: Board,
    database: Client,
    seen: Seen,
    /// When the flights left that are counted and not on the board yet.
    waiting_ms: BTreeMap<Key, Vec<i64>>,
}

impl Stream {
    fn new(database: Client) -> Result<Stream, Box<dyn Error>> {
        let config = BoardConfig {
            window: HOUR,
            bound: BOUND,
            allowed_lateness: HOUR,
            idle_after: None,
            allowed_ahead: ALLOWED_AHEAD,
        };
        let board = Board::new(&[0], &config)?;
        Ok(Stream { board, database, seen: Seen::default(), waiting_ms: BTreeMap::new() })
    }

    async fn take(&mut self, flight: &Flight, offset: i64) -> Result<(), Box<dyn Error>> {
        let arrived_ms = flight.departed_ms();
        let began = Instant::now();
        let arrival = Arrival { partition: 0, offset, arrived_ms, flight };
        let Outcome { results, dropped } = self.board.on_flight(arrival, Duration::ZERO);
        write(&mut self.database, "micro-batch", &results, dropped.as_slice()).await?;
        self.seen.worked += began.elapsed();
        self.seen.read += 1;
        if dropped.is_none() {
            let hour_ms = flight.scheduled_ms - flight.scheduled_ms.rem_euclid(HOUR_MS);
            let key = (hour_ms, flight.origin.clone());
            self.waiting_ms.entry(key).or_default().push(arrived_ms);
        }
        self.show(results, arrived_ms);
        Ok(())
    }

    async fn end(&mut self, now_ms: i64) -> Result<(), Box<dyn Error>> {
        let began = Instant::now();
        let results = self.board.on_end();
        write(&mut self.database, "micro-batch", &results, &[]).await?;
        self.seen.worked += began.elapsed();
        self.show(results, now_ms);
        Ok(())
    }

    fn show(&mut self, results: Vec<WindowResult>, now_ms: i64) {
        for WindowResult { window, key, delays, .. } in results {
            let key = (window.start_ms, key);
            let waiting_ms = self.waiting_ms.remove(&key).unwrap_or_default();
            self.seen.waits_ms.extend(waiting_ms.iter().map(|left_ms| now_ms - left_ms));
            self.seen.say(key, delays, true);
        }
    }
}

fn print(
    arguments: &MicroBatch,
    ticks: u64,
    boards: &[Seen; 3],
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    let MicroBatch { week, every, back } = arguments;
    let [truth, ..] = boards;
    let flights = truth.counted();
    writeln!(out, "{}: {flights} flights", week.title())?;
    writeln!(
        out,
        "A query at each of {ticks} ticks, every {every} min: over all flights that have left,"
    )?;
    writeln!(
        out,
        "and over the slots of the last {back} h. Stream: bound 15 min, allowed lateness 60 min\n"
    )?;
    let recent = format!("last {back} h");
    writeln!(out, " {:<38} {:>12} {:>12} {:>12}", "", "all flights", recent, "stream")?;
    let mut row = |title: &str, of: &dyn Fn(&Seen) -> String| {
        let [all, recent, stream] = boards.each_ref().map(of);
        writeln!(out, " {title:<38} {all:>12} {recent:>12} {stream:>12}")
    };
    row("rows read", &|seen| seen.read.to_string())?;
    row("flights missing at the end", &|seen| (flights - seen.counted()).to_string())?;
    row("a flight is shown after, on average", &|seen| format!("{:.1} min", seen.mean_wait_min()))?;
    row("rows that were right when over", &|seen| {
        format!("{} of {}", seen.right_when_over(truth), truth.rows.len())
    })?;
    row("changes after that", &|seen| seen.changes().to_string())?;
    row("time at work", &|seen| format!("{:.2} s", seen.worked.as_secs_f64()))?;
    Ok(())
}
