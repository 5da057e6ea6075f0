//! Given: what can be asked for on the command line.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use flights::replay::Speed;
use flights::weeks::Week;
use lab04::guard::ALLOWED_AHEAD;
use lab05::board::BoardConfig;
use runs::IdleAfter;

use crate::life::Life;

/// Counts a week of real flights by hour and airport, from a topic into PostgreSQL, and makes
/// checkpoints: kill it anywhere, and the board is right.
///
/// Kafka and PostgreSQL are found or started by themselves. The topic is filled once; there is one for
/// each week and number of partitions. A run empties its tables, unless it goes on with --resume,
/// --checkpoint or --from-savepoint. Ctrl-C makes a checkpoint and fires nothing.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
pub struct Program {
    /// Another thing than a run
    #[command(subcommand)]
    pub command: Option<Command>,
    /// A run
    #[command(flatten)]
    pub run: Run,
}

/// What can be done beside a run.
#[derive(Subcommand)]
pub enum Command {
    /// Measures what checkpoints cost: rate and recovery by interval, and the size of the state
    Costs(Costs),
}

/// A run of the job.
#[derive(Args, Clone)]
pub struct Run {
    /// What is read
    #[command(flatten)]
    pub source: Source,
    /// How the board counts
    #[command(flatten)]
    pub counting: Counting,
    /// How often a checkpoint is made: `2` or `0.5` for seconds, `500ms` for milliseconds
    #[arg(long, value_name = "TIME", default_value = "1")]
    pub checkpoint_every: Every,
    /// The job's name; its tables are in a schema of this name [default: the package's]
    #[arg(long, value_name = "NAME")]
    pub job: Option<String>,
    /// Go on from the job's newest checkpoint
    #[arg(long)]
    pub resume: bool,
    /// Go on from the checkpoint of this number; what was written after it is taken back
    #[arg(long, value_name = "ID", conflicts_with_all = ["resume", "from_savepoint", "chaos"])]
    pub checkpoint: Option<u64>,
    /// Go on from a savepoint, whose file this is
    #[arg(long, value_name = "FILE", conflicts_with_all = ["resume", "chaos"])]
    pub from_savepoint: Option<PathBuf>,
    /// Write a savepoint to this file at the end, also after Ctrl-C
    #[arg(long, value_name = "FILE", conflicts_with = "chaos")]
    pub savepoint: Option<PathBuf>,
    /// Take no epoch, as before step 6: an instance that only seemed dead is not noticed
    #[arg(long)]
    pub without_fencing: bool,
    /// Kill the job so often, at random moments, start it again each time, and compare the board in
    /// the end
    #[arg(long, value_name = "KILLS", num_args = 0..=1, default_missing_value = "20",
          conflicts_with_all = ["topic", "speed", "follow"])]
    pub chaos: Option<u32>,
    /// Which random moments: the same number kills at the same places
    #[arg(long, default_value_t = 2013, requires = "chaos")]
    pub seed: u64,
    /// One life of a job that is killed
    #[arg(long, hide = true)]
    pub life: Option<Life>,
}

/// What is read.
#[derive(Args, Clone)]
pub struct Source {
    /// The week: `calm` (18-24 February 2013) or `storm` (4-10 February 2013)
    #[arg(long, default_value = "storm")]
    pub week: Week,
    /// Instead of a week, so many made flights, out of order by at most --bound, each partition in
    /// its turn: none is dropped
    #[arg(long, value_name = "RECORDS", conflicts_with_all = ["week", "speed"],
          value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    pub made: Option<u32>,
    /// Instead of a week, this topic, which somebody else fills
    #[arg(long, conflicts_with_all = ["week", "made", "speed", "partitions"])]
    pub topic: Option<String>,
    /// How many partitions the topic has
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(i32).range(1..=100))]
    pub partitions: i32,
    /// Replay the week into a new topic, so many times faster than it was: `3600x` is an hour a second
    #[arg(long, value_name = "TIMES", conflicts_with_all = ["resume", "checkpoint", "from_savepoint"])]
    pub speed: Option<Speed>,
    /// Go on waiting for records when the topic is read to its end, until Ctrl-C
    #[arg(long)]
    pub follow: bool,
}

/// How the board counts. Its windows are hours.
#[derive(Args, Clone)]
pub struct Counting {
    /// The allowed out-of-orderness, in minutes
    #[arg(long, value_name = "MINUTES", default_value_t = 15, allow_negative_numbers = true,
          value_parser = clap::value_parser!(u32).range(0..=1_440))]
    pub bound: u32,
    /// How long behind the watermark a window may still be corrected, in minutes
    #[arg(long, value_name = "MINUTES", default_value_t = 0, allow_negative_numbers = true,
          value_parser = clap::value_parser!(u32).range(0..=525_600))]
    pub lateness: u32,
    /// After so many seconds of silence a partition is idle; `off` for never
    #[arg(long, value_name = "SECONDS", default_value = "2")]
    pub idle_after: IdleAfter,
}

/// What is measured.
#[derive(Args)]
pub struct Costs {
    /// How many records are read in each run
    #[arg(long, default_value_t = 2_000_000,
          value_parser = clap::value_parser!(u32).range(10_000..=100_000_000))]
    pub records: u32,
    /// The intervals
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "TIME,TIME,…",
        default_value = "20ms,50ms,100ms,250ms,500ms,1"
    )]
    pub intervals: Vec<Every>,
    /// How often each thing is measured
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub rounds: u32,
    /// The longest recovery that is good enough, by which an interval is chosen
    #[arg(long, value_name = "TIME", default_value = "1")]
    pub longest_recovery: Every,
    /// Where the drawings are written
    #[arg(long, value_name = "FOLDER", default_value = "target")]
    pub svg: PathBuf,
}

/// A span of time: seconds, or milliseconds with `ms` behind them. Never none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Every(pub Duration);

impl FromStr for Every {
    type Err = String;

    fn from_str(text: &str) -> Result<Every, String> {
        let (number, seconds_each) = match text.strip_suffix("ms") {
            Some(number) => (number, 0.001),
            None => (text.strip_suffix('s').unwrap_or(text), 1.0),
        };
        let seconds = number.trim().parse::<f64>().ok().map(|number| number * seconds_each);
        let span = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        match span {
            Some(span) if !span.is_zero() => Ok(Every(span)),
            _ => Err(format!("expected a time such as `2`, `0.5` or `500ms`, found `{text}`")),
        }
    }
}

impl Run {
    /// Whether tables and checkpoints of earlier runs are kept.
    pub fn goes_on(&self) -> bool {
        self.resume || self.checkpoint.is_some() || self.from_savepoint.is_some()
    }
}

impl Counting {
    /// How the board counts.
    pub fn board(&self) -> BoardConfig {
        let minutes = |minutes: u32| Duration::from_secs(60 * u64::from(minutes));
        BoardConfig {
            window: minutes(60),
            bound: minutes(self.bound),
            allowed_lateness: minutes(self.lateness),
            idle_after: self.idle_after.0,
            allowed_ahead: ALLOWED_AHEAD,
        }
    }
}
