//! `make check-cluster`: asks a Kafka and a PostgreSQL for all that the labs need, a line for each need.
//!
//! The servers are those that the environment or `.env` names, else the rig's own. Everything that it
//! makes carries the prefix and is removed, also where a need is missing or Ctrl-C ends it.
//!
//! | module | idea |
//! |---|---|
//! | [`need`] | what the labs need, and why |
//! | [`report`] | a line for each need |
//! | [`kafka`] | the questions to Kafka, in order |
//! | [`trial`] | topics and a group of this check's own |
//! | [`records`] | records written, read and deleted |
//! | [`groups`] | a group joined, committed for and deleted |
//! | [`held_back`] | whether a quota holds back who writes |
//! | [`clock`] | whether two clocks agree |
//! | [`postgres`] | the questions to PostgreSQL |
//! | [`stop`] | Ctrl-C, at any moment |

mod clock;
mod groups;
mod held_back;
mod kafka;
mod need;
mod postgres;
mod records;
mod report;
mod stop;
mod trial;

use std::error::Error;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, stdout};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use rig::cluster::Cluster;
use rig::patience::patience;
use rig::{Rig, external};
use tokio::runtime::Runtime;

use crate::need::Need;
use crate::report::Report;
use crate::stop::stop_on_ctrl_c;

/// How long a server may take for one answer: it may be far away.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Asks Kafka and PostgreSQL for all that the labs need of them.
///
/// The servers are those that the environment or `.env` names, else the rig's own. It makes topics, a
/// group, a schema and a database whose names begin with your prefix, and removes them. It fails when
/// something is missing.
#[derive(Parser)]
#[command(name = "check-cluster")]
struct Arguments {
    /// Print what is asked for, as a table for the book, and ask nobody
    #[arg(long)]
    list: bool,
}

fn main() -> ExitCode {
    if Arguments::parse().list {
        print!("{}", need::table());
        return ExitCode::SUCCESS;
    }
    match check() {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Asks both servers. Gives the number of needs that are missing.
fn check() -> Result<usize, Box<dyn Error>> {
    let cluster = servers()?;
    let limit = patience(ANSWER_TIMEOUT)?;
    let runtime = Runtime::new()?;
    let missing = runtime.block_on(ask(&cluster, limit));
    // After Ctrl-C a question may still be at work for which nobody waits.
    runtime.shutdown_background();
    Ok(missing?)
}

async fn ask(cluster: &Cluster, limit: Duration) -> io::Result<usize> {
    let stop = stop_on_ctrl_c()?;
    // Random, so that what is removed in the end is nobody else's.
    let name = format!("{}tidemark-check-{:x}", cluster.prefix, RandomState::new().hash_one(0));
    let mut report = Report::new(stdout());
    report.say(&format!(
        "Kafka at {}, PostgreSQL at {}; what this makes is named `{name}…` and removed",
        cluster.bootstrap(),
        cluster.database_address()
    ))?;
    kafka::ask(cluster, &name, limit, &stop, &mut report).await?;
    report.not_asked(&Need::OF_KAFKA)?;
    postgres::ask(&cluster.database_url, &name, limit, &stop, &mut report).await?;
    report.not_asked(&Need::OF_POSTGRES)?;
    let missing = report.missing();
    report.say(&match missing {
        0 => "all that the labs need is there".to_owned(),
        1 => "1 need is missing; its line says what to do".to_owned(),
        some => format!("{some} needs are missing; their lines say what to do"),
    })?;
    Ok(missing)
}

/// What the environment names, whatever it may lack; else the rig's own.
fn servers() -> Result<Cluster, Box<dyn Error>> {
    Ok(match external::from_environment()? {
        Some(named) => named,
        None => Rig::up()?.cluster().clone(),
    })
}
