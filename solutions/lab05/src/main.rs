//! Given: `cargo run -p lab05` counts a week of departures by hour and airport, with the code of this
//! lab, from a topic into PostgreSQL.
//!
//! Arguments, rig, call, output: the topic is filled in `topic`, what is printed is in `picture`, all
//! the rest is in the library. `micro_batch` is a program beside it: the same board by queries.

extern crate lab05_solution as lab05;

mod micro_batch;
mod picture;
mod topic;

use std::error::Error;
use std::io::{Write, stdout};
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use flights::replay::Speed;
use flights::weeks::Week;
use lab02::batch::BatchLimits;
use lab04::guard::ALLOWED_AHEAD;
use lab05::board::BoardConfig;
use lab05::input::Until;
use lab05::job::{self, JobConfig, Progress};
use lab05::run_topic::replay;
use lab05::tables::{DROPPED, RESULTS, ensure_tables};
use rig::Rig;
use rig::ending::exit_code;
use runs::{Figures, IdleAfter, LiveLine, RunSchema, stop_on_signal};
use timeline::instants::Instants;
use tokio_util::sync::CancellationToken;

use crate::topic::{dead_letters_of, fill};

/// The package: a run of the reference answer leaves a learner's own topics and tables alone.
const PACKAGE: &str = env!("CARGO_PKG_NAME");

/// Counts a week of real flights by hour and airport, from a topic into the tables
/// `processed_events_aggregated` and `dropped_records` of PostgreSQL.
///
/// Kafka and PostgreSQL are found or started by themselves. The topic is filled once; there is one for
/// each week and number of partitions. The tables are emptied at each run. With --speed the week is
/// replayed into a new topic, each flight when it is due, and the tables fill as you watch.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// The week: `calm` (18-24 February 2013) or `storm` (4-10 February 2013)
    #[arg(long, default_value = "storm")]
    week: Week,
    /// How many partitions the topic has
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(i32).range(1..=100))]
    partitions: i32,
    /// The allowed out-of-orderness, in minutes
    #[arg(long, value_name = "MINUTES", default_value_t = 15, allow_negative_numbers = true,
          value_parser = clap::value_parser!(u32).range(0..=525_600))]
    bound: u32,
    /// How long behind the watermark a window may still be corrected, in minutes
    #[arg(long, value_name = "MINUTES", default_value_t = 0, allow_negative_numbers = true,
          value_parser = clap::value_parser!(u32).range(0..=525_600))]
    lateness: u32,
    /// The length of the windows, in minutes
    #[arg(long, value_name = "MINUTES", default_value_t = 60, allow_negative_numbers = true,
          value_parser = clap::value_parser!(u32).range(0..=525_600))]
    window: u32,
    /// Replay the week into a new topic, so many times faster than it was: `3600x` is an hour a second
    #[arg(long, value_name = "TIMES")]
    speed: Option<Speed>,
    /// After so many seconds of silence a partition is idle; `off` for never
    #[arg(long, value_name = "SECONDS", default_value = "2")]
    idle_after: IdleAfter,
    /// Go on waiting for records when the topic is read to its end, until Ctrl-C
    #[arg(long)]
    follow: bool,
}

#[derive(Subcommand)]
enum Command {
    MicroBatch(micro_batch::MicroBatch),
}

#[tokio::main]
async fn main() -> ExitCode {
    rig::unfinished::explain_holes("lab05");
    let arguments = Arguments::parse();
    exit_code(match &arguments.command {
        None => run(&arguments, &mut stdout()).await,
        Some(Command::MicroBatch(micro_batch)) => {
            micro_batch::run(micro_batch, &mut stdout()).await
        }
    })
}

async fn run(arguments: &Arguments, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let board = board_config(arguments);
    // What no server has to be asked for is refused before one is started.
    lab05::board::Board::new(&[], &board)?;
    let rig = Rig::up()?;
    let stop = stop_on_signal()?;
    let topic = topic::name(rig.prefix(), arguments.week, arguments.partitions, arguments.speed);
    let flights = fill(&rig, &topic, arguments).await?;
    let schema = RunSchema::of_run(&rig, &PACKAGE.replace('-', "_")).await?;
    ensure_tables(&schema.connect().await?).await?;
    schema.empty(&[RESULTS, DROPPED]).await?;
    writeln!(out, "{}, topic {topic}, bound {} min", arguments.week.title(), arguments.bound)?;

    let config = JobConfig {
        kafka: rig.kafka(),
        dead_letter_topic: dead_letters_of(&topic),
        topic,
        database: schema.url().parse()?,
        board,
        write: BatchLimits {
            items: NonZeroUsize::new(500).expect("it is not 0"),
            age: Duration::from_millis(500),
        },
        until: match (arguments.speed, arguments.follow) {
            (None, false) => Until::TheEnd,
            _ => Until::Stopped,
        },
    };
    let records = flights.len() as u64;
    let job = run_job(&config, arguments, records, &stop);
    let done = match arguments.speed {
        None => job.await?,
        Some(speed) => {
            let replay = replay(&config.kafka, &config.topic, flights, speed, &stop);
            tokio::try_join!(job, async { Ok(replay.await?) })?.0
        }
    };
    picture::draw(&schema, &done, out).await
}

fn board_config(arguments: &Arguments) -> BoardConfig {
    let minutes = |minutes: u32| Duration::from_secs(60 * u64::from(minutes));
    BoardConfig {
        window: minutes(arguments.window),
        bound: minutes(arguments.bound),
        allowed_lateness: minutes(arguments.lateness),
        idle_after: arguments.idle_after.0,
        allowed_ahead: ALLOWED_AHEAD,
    }
}

/// Runs the job and shows how far it is. A topic that is written to has no end: behind a replay the
/// job is stopped when it has read so many records and written what has fired.
async fn run_job(
    config: &JobConfig,
    arguments: &Arguments,
    records: u64,
    stop: &CancellationToken,
) -> Result<Progress, Box<dyn Error>> {
    let total = (!arguments.follow).then_some(records);
    let mut line = LiveLine::begin(arguments.week.title(), total);
    let mut last = Progress::default();
    let outcome = job::run(config, stop, &mut |now| {
        last = *now;
        show(now, |note, figures| line.show_with(note, figures));
        let is_all = config.until == Until::Stopped && now.read >= records && now.held_rows == 0;
        if is_all && !arguments.follow {
            stop.cancel();
        }
    })
    .await;
    show(&last, |note, figures| line.end_with(note, figures));
    Ok(outcome?)
}

fn show(now: &Progress, show: impl FnOnce(&str, &Figures<'_>)) {
    // A second instant, so that the date is shown.
    let shown = |watermark_ms| Instants::new([watermark_ms, 0]).text(watermark_ms);
    let watermark = now.watermark_ms.map_or("none".to_owned(), shown);
    let counters = [
        ("open windows", now.open_windows as u64),
        ("kept windows", now.kept_windows as u64),
        ("late", now.counts.late),
        ("dropped", now.counts.dropped.total()),
        ("rows written", now.written.results),
    ];
    let figures = Figures { read: now.read, lag: now.lag, counters: &counters };
    show(&format!("watermark {watermark}"), &figures);
}
