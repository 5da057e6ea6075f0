//! The rig's program: starts, keeps and ends Kafka and PostgreSQL.

mod containers;
mod docker;
mod down;
mod failure;
mod folder;
mod jars;
mod java;
mod java_client;
mod kafka;
mod keeper;
mod local;
mod lock;
mod maven;
mod memory;
mod orphans;
mod ports;
mod postgres;
mod process;
mod provider;
mod random;
mod tools;
mod up;
mod users;
mod versions;

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use rig::Rig;
use rig::cluster::{Cluster, Provider as Kind};
use rig::place::Place;
use rig::{external, reach};

use crate::down::Data;
use crate::failure::Failure;
use crate::up::Found;

/// Kafka and PostgreSQL for the labs of this clone.
///
/// Tests and `cargo run` start them by themselves; these commands are for looking and for ending.
/// TIDEMARK_RIG=external|containers|local forces where they come from.
#[derive(Parser)]
#[command(name = "rig")]
struct Arguments {
    #[command(subcommand)]
    command: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Start the servers unless they are up, and say where they are
    Up {
        #[arg(long, value_name = "FOLDER", hide = true)]
        private: Option<PathBuf>,
    },
    /// End the servers and keep their data
    Stop,
    /// End the servers and remove all they left: data, logs, locks, fetched software
    Down {
        #[arg(long, value_name = "FOLDER", hide = true)]
        private: Option<PathBuf>,
    },
    /// Say whether the servers are up, and where
    Status,
    /// Say whether a Docker engine answers, and fail with the reason where none does
    #[command(hide = true)]
    Engine,
    /// Fetch what the servers need, without starting them
    Fetch,
    /// Run one of Kafka's own tools on the rig's broker
    Tool {
        /// kafka-topics, kafka-console-consumer, kafka-get-offsets …
        name: String,
        /// Passed on as they are
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Open psql on the rig's database
    Psql {
        /// Passed on as they are
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    #[command(hide = true)]
    Keep {
        kind: Kind,
        folder: PathBuf,
        #[arg(long)]
        private: bool,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // On the standard output: the client, which shows the standard error as it comes,
            // reads the sentence here.
            println!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(verb: Verb) -> Result<(), Failure> {
    let place = Place::of_this_clone();
    match verb {
        Verb::Up { private: Some(folder) } => up::private(&Place::at(folder)),
        Verb::Up { private: None } => {
            if let Some(cluster) = external::from_environment()? {
                reach::ask(&cluster)?;
                println!("rig: {cluster} (external: named by the environment); both answer");
                println!("rig: `make check-cluster` says whether the labs can use them");
                return Ok(());
            }
            match up::up(&place)? {
                Found::Warm => status(&place),
                Found::Started => Ok(()),
            }
        }
        Verb::Stop => {
            leave_external_alone();
            say_ended(down::end_all(&place, Data::Keep)?, "their data are kept")
        }
        Verb::Down { private: Some(folder) } => {
            down::end(&Place::at(folder), Data::Remove).map(|_| ())
        }
        Verb::Down { private: None } => {
            leave_external_alone();
            say_ended(down::end_all(&place, Data::Remove)?, "nothing of them is left")
        }
        Verb::Status if say_external()? => Ok(()),
        Verb::Status => status(&place),
        Verb::Engine => docker::ping().map(|()| println!("rig: a Docker engine answers")),
        Verb::Fetch => fetch(&place),
        Verb::Tool { name, arguments } => tools::kafka(&joined()?, &name, &arguments),
        Verb::Psql { arguments } => tools::psql(&joined()?, &arguments),
        Verb::Keep { kind, folder, private } => keep(kind, folder, private),
    }
}

fn joined() -> Result<Rig, Failure> {
    Ok(Rig::up()?)
}

/// Says where the servers are that the environment names. Whether it names any.
fn say_external() -> Result<bool, Failure> {
    let named = external::from_environment()?;
    if let Some(cluster) = &named {
        println!("rig: {cluster} (external: named by the environment)");
    }
    Ok(named.is_some())
}

/// Servers that the rig did not start are not the rig's to end. Its own, from before the
/// environment named others, are ended all the same, and settings that are wrong don't hinder it.
fn leave_external_alone() {
    if let Ok(Some(cluster)) = external::from_environment() {
        println!(
            "rig: Kafka at {} and PostgreSQL at {} were not started by the rig; they are left as they are",
            cluster.bootstrap(),
            cluster.database_address()
        );
    }
}

fn status(place: &Place) -> Result<(), Failure> {
    if !up::is_up(place)? {
        return Err(Failure::new("the rig is not up; `make up` starts it"));
    }
    match Cluster::read(place) {
        Some(cluster) => println!("rig: {cluster} ({})", cluster.provider),
        None => println!("rig: ended this moment"),
    }
    Ok(())
}

fn say_ended(any: bool, what_is_left: &str) -> Result<(), Failure> {
    match any {
        true => println!("rig: Kafka and PostgreSQL have ended; {what_is_left}"),
        false => println!("rig: its own servers were not running; {what_is_left}"),
    }
    Ok(())
}

fn fetch(place: &Place) -> Result<(), Failure> {
    let _lock = folder::lock_start(place)?;
    let kafka = local::fetch()?;
    println!("rig: {} and PostgreSQL are there", kafka.description());
    Ok(())
}

fn keep(kind: Kind, folder: PathBuf, private: bool) -> Result<(), Failure> {
    let task = keeper::Task { kind, place: Place::at(folder), private };
    keeper::keep(&task, |line| {
        let mut pipe = std::io::stdout();
        // Whoever waited may be gone; the servers are for everybody.
        let _ = writeln!(pipe, "{line}").and_then(|()| pipe.flush());
    })
}
