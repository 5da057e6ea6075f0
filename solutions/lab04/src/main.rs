//! Given: `cargo run -p lab04` shows the watermark of a real topic; two commands need no Kafka.
//!
//! Arguments and calls: what is printed is in the modules below, all the rest in the library.

extern crate lab04_solution as lab04;

mod boards;
mod costs;
mod reading;

use std::error::Error;
use std::io::{Write, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use flights::weeks::Week;
use rig::ending::exit_code;
use runs::IdleAfter;

/// Reads a week of flights from a real topic and shows the watermark that its reader sees.
///
/// Kafka is found or started by itself, and the topic is filled once: `lab04.calm` or `lab04.storm`.
/// Each line is a record in the order in which it was read, with the watermark of each partition
/// after it, and the combined one. Try --partitions 1, and --idle-after off.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    reading: Reading,
}

#[derive(Subcommand)]
enum Command {
    ProcessingTime(Replays),
    Curve(Costs),
}

/// What is read, and how its watermark is made.
#[derive(Args)]
struct Reading {
    /// The week: `calm` (18-24 February 2013) or `storm` (4-10 February 2013)
    #[arg(long, default_value = "calm")]
    week: Week,
    /// How many partitions the topic has; there is a topic for each number
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(i32).range(1..=100))]
    partitions: i32,
    /// The allowed out-of-orderness, in minutes
    #[arg(long, value_name = "MINUTES", default_value_t = 15, allow_negative_numbers = true,
          value_parser = clap::value_parser!(u32).range(0..=525_600))]
    bound: u32,
    /// After so many seconds of silence a partition is idle; `off` for never
    #[arg(long, value_name = "SECONDS", default_value = "2")]
    idle_after: IdleAfter,
    /// How many records are shown; all are read, and what else happens is shown besides
    #[arg(long, value_name = "RECORDS", default_value_t = 20)]
    show: u64,
}

/// Shows the same week, replayed at two speeds, on a board by processing time: two boards.
///
/// Nothing waits and nothing is random: the clock of the machine is computed. Needs no Kafka.
#[derive(Args)]
struct Replays {
    /// The week: `calm` or `storm`
    #[arg(long, default_value = "calm")]
    week: Week,
    /// Two speeds, as multiples of real time
    #[arg(long, num_args = 2, value_names = ["ONE", "OTHER"], default_values_t = [3_600, 5_000],
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    speeds: Vec<u32>,
}

/// Shows what a bound costs: how many flights come too late, and how long a result waits.
///
/// Both weeks, from the files in the repository, through your own code of step 8. The drawing is
/// written as SVG; any browser shows it. Needs no Kafka.
#[derive(Args)]
struct Costs {
    /// Where the drawing is written
    #[arg(long, value_name = "FILE", default_value = "target/lab04-curve.svg")]
    svg: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    rig::unfinished::explain_holes("lab04");
    exit_code(run(&Arguments::parse(), &mut stdout()).await)
}

async fn run(arguments: &Arguments, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    match &arguments.command {
        None => reading::run(&arguments.reading, out).await,
        Some(Command::ProcessingTime(replays)) => boards::run(replays, out),
        Some(Command::Curve(costs)) => costs::run(costs, out),
    }
}
