//! Given: `cargo run -p lab06` runs the job of this lab on a week of departures, from a topic into
//! PostgreSQL, through crashes, upgrades and second instances.
//!
//! | module | idea |
//! |---|---|
//! | `arguments` | what can be asked for |
//! | `source` | the topic of a run, filled once or as the week goes by |
//! | `setting` | servers, topic and tables, and the job's configuration |
//! | `steady` | a run that nothing disturbs but Ctrl-C |
//! | `chaos` | a parent whose child is killed again and again, and starts it again |
//! | `life` | the child: where it ends, and how it says how far it is |
//! | `tally` | the kills, by the point where they hit, and how long each recovery took |
//! | `batch` | the board computed anew in SQL, and what differs |
//! | `picture` | the end of a run as text |
//! | `costs` | what checkpoints cost, measured |
//! | `curves` | the same, drawn |

extern crate lab06_solution as lab06;

mod arguments;
mod batch;
mod chaos;
mod costs;
mod curves;
mod life;
mod picture;
mod setting;
mod source;
mod steady;
mod tally;

use std::error::Error;
use std::io::{Write, stdout};
use std::process::ExitCode;

use clap::Parser;
use rig::ending::exit_code;

use crate::arguments::{Command, Program, Run};

/// The package: a run of the reference answer leaves a learner's own topics and tables alone.
const PACKAGE: &str = env!("CARGO_PKG_NAME");

#[tokio::main]
async fn main() -> ExitCode {
    rig::unfinished::explain_holes("lab06");
    let program = Program::parse();
    let mut out = stdout();
    exit_code(match &program.command {
        Some(Command::Costs(costs)) => costs::run(costs, &mut out).await,
        None => run(&program.run, &mut out).await,
    })
}

async fn run(arguments: &Run, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    match (&arguments.life, arguments.chaos) {
        (Some(life), kills) => life::run(arguments, life, kills).await,
        (None, Some(kills)) => chaos::run(arguments, kills, out).await,
        (None, None) => steady::run(arguments, out).await,
    }
}
