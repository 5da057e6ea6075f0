//! Kafka and PostgreSQL for tests and runs: the thin client.
//!
//! Tests of this course never fake the broker or the database. [`Rig::up`] finds real ones, or
//! has them started, in this order:
//!
//! 1. **external**: the environment names them (`KAFKA_BOOTSTRAP_SERVERS`, `DATABASE_URL`);
//! 2. **containers**: a Docker engine answers;
//! 3. **local**: Apache Kafka on this machine's Java, PostgreSQL from its own binaries.
//!
//! `TIDEMARK_RIG=external|containers|local` forces one. The second and third are the work of a
//! program of its own (`crates/rig/program`), which keeps the servers warm for every test binary
//! and every run, and ends them when nobody has used them for a while. This crate only speaks to
//! that program, so that a lab does not have to compile it.
//!
//! | module | idea |
//! |---|---|
//! | [`place`] | the folder of the rig |
//! | [`cluster`] | servers that are up: what the program writes and this client reads |
//! | [`control`] | the connection to the program: it keeps the servers alive |
//! | [`external`] | servers that the environment names |
//! | [`env_file`] | the same names in a file, `.env` |
//! | [`security`] | how a Kafka client proves who it is |
//! | [`reach`] | whether the servers that the environment names answer |
//! | `database` | whether the labs can use the database that it names (feature `database`) |
//! | `certificate` | why a broker's certificate is not trusted (feature `tls`) |
//! | [`rights`] | whether the user may do there what the labs do |
//! | [`replication`] | on how many brokers topics are kept there |
//! | [`private`] | a Kafka and a PostgreSQL of one test's own |
//! | [`mod@say`] | a line to the person, past the capture of the test harness |
//! | [`patience`] | how long the rig waits for others |
//! | [`slow`] | a word to the person when something takes longer than a second |
//! | [`mod@setting`] | a variable of the environment that is set to something |
//! | [`unfinished`] | a run that meets a step which is not written yet |
//! | [`ending`] | how a run ends |

#[cfg(feature = "tls")]
mod certificate;
pub mod cluster;
pub mod control;
#[cfg(feature = "database")]
pub mod database;
pub mod ending;
pub mod env_file;
pub mod external;
pub mod patience;
pub mod place;
pub mod private;
pub mod reach;
pub mod replication;
pub mod rights;
pub mod say;
pub mod security;
pub mod setting;
pub mod slow;
pub mod unfinished;

use std::process::{Command, Stdio};
use std::sync::OnceLock;

use rdkafka::ClientConfig;
use thiserror::Error;

use crate::cluster::Cluster;
use crate::control::{Control, ControlError};
use crate::place::Place;
use crate::say::say;

pub use crate::private::Private;

/// A Kafka and a PostgreSQL that are up, and how to reach them.
///
/// The servers stay up at least until the process ends.
#[derive(Debug, Clone)]
pub struct Rig {
    cluster: Cluster,
    replication: i32,
}

/// The rig's own Kafka is one broker.
const OWN_REPLICATION: i32 = 1;

/// Why no Kafka or no PostgreSQL could be had: one sentence with its fix.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct RigError(pub String);

impl Rig {
    /// Finds a running Kafka and PostgreSQL, or has them started. Later calls in the same process
    /// return the same answer at once.
    ///
    /// # Errors
    /// When no provider can serve; the sentence says why and what to do.
    pub fn up() -> Result<Rig, RigError> {
        static RIG: OnceLock<Result<Rig, RigError>> = OnceLock::new();
        RIG.get_or_init(find_or_start).clone()
    }

    /// What every Kafka client starts from: the brokers' addresses and how to speak to them.
    pub fn kafka(&self) -> ClientConfig {
        self.cluster.kafka()
    }

    /// What every name on the servers begins with; empty where they are ours alone.
    pub fn prefix(&self) -> &str {
        &self.cluster.prefix
    }

    /// On how many brokers each topic is to be kept: its replication factor.
    pub fn replication(&self) -> i32 {
        self.replication
    }

    /// A name for a topic or a group with the prefix in front, unless it stands there already.
    pub fn own_name(&self, name: &str) -> String {
        own_name(self.prefix(), name)
    }

    /// A name for a schema of the database, with the prefix in front. Of the prefix, what SQL would
    /// want quotes for becomes an underscore.
    pub fn schema_name(&self, name: &str) -> String {
        schema_name(self.prefix(), name)
    }

    /// The address of a database whose user may create further databases.
    pub fn database_url(&self) -> &str {
        &self.cluster.database_url
    }

    /// The servers as the rig knows them.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }
}

fn own_name(prefix: &str, name: &str) -> String {
    if name.starts_with(prefix) { name.to_owned() } else { format!("{prefix}{name}") }
}

fn schema_name(prefix: &str, name: &str) -> String {
    sql_name(prefix) + name
}

/// A name with an underscore in the place of what SQL would want quotes for. Topics and groups may
/// have `.` and `-` in theirs.
pub fn sql_name(name: &str) -> String {
    name.replace(['.', '-'], "_")
}

/// A factor that the person has not chosen is told.
fn say_if_not_one(cluster: &Cluster, replication: i32) {
    if cluster.replication.is_none() && replication != OWN_REPLICATION {
        let variable = replication::VARIABLE;
        say(&format!(
            "rig: topics can't have replication factor {OWN_REPLICATION} there; they get {replication}, \
             which {variable} could change"
        ));
    }
}

fn find_or_start() -> Result<Rig, RigError> {
    if let Some(cluster) = external::from_environment()? {
        say(&format!("rig: {cluster} (external: named by the environment)"));
        let replication = reach::ask(&cluster)?;
        say_if_not_one(&cluster, replication);
        return Ok(Rig { cluster, replication });
    }
    let place = Place::of_this_clone();
    if let Some(cluster) = join(&place)? {
        say(&format!("rig: {cluster} ({}, warm)", cluster.provider));
        return Ok(Rig { cluster, replication: OWN_REPLICATION });
    }
    run_program(&["up"])?;
    match join(&place)? {
        Some(cluster) => Ok(Rig { cluster, replication: OWN_REPLICATION }),
        None => Err(RigError(format!(
            "the rig's servers were started and are gone again; `{}` says why",
            place.keeper_log().display()
        ))),
    }
}

/// Joins the servers that the program keeps, if they answer, and holds them until this process
/// ends.
///
/// # Errors
/// When the program is there and does not answer.
fn join(place: &Place) -> Result<Option<Cluster>, RigError> {
    static HELD: OnceLock<Control> = OnceLock::new();
    let Some(cluster) = Cluster::read(place) else { return Ok(None) };
    if external::forced()?.is_some_and(|forced| forced != cluster.provider) {
        return Ok(None);
    }
    // In this order: a program that is ending its servers wakes them to stop them, and lets nobody
    // in any more.
    if !cluster.answers() {
        return Ok(None);
    }
    let control = match Control::connect(&cluster) {
        Ok(control) => control,
        Err(error @ ControlError::Silent) => return Err(error.into()),
        Err(_) => return Ok(None),
    };
    // Dropping the connection would let the servers end while this process still uses them.
    let _ = HELD.set(control);
    Ok(Some(cluster))
}

/// Runs the rig's program, which is built first where that has not been done.
///
/// # Errors
/// With the program's last line when it fails, or when it cannot be built.
pub fn run_program(arguments: &[&str]) -> Result<(), RigError> {
    let output = program_command(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| RigError(format!("cannot run cargo to start the rig: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    let printed = String::from_utf8_lossy(&output.stdout);
    let sentence = printed.lines().rfind(|line| !line.is_empty());
    Err(RigError(match sentence {
        Some(sentence) => sentence.to_owned(),
        None => "the rig's program could not be built; cargo's error stands above".to_owned(),
    }))
}

/// The command that runs the rig's program with these arguments.
pub fn program_command(arguments: &[&str]) -> Command {
    let mut command = cargo();
    command
        .args(["run", "--quiet", "--package", "rig-program", "--bin", "rig"])
        .args(if cfg!(feature = "tls") { &["--features", "tls"][..] } else { &[] })
        .arg("--")
        .args(arguments);
    if !place::program_was_built() {
        say("rig: building the rig's own program, once; this takes some seconds");
    }
    command
}

/// The cargo that runs this process, else the one on the PATH, at work in this clone.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(place::workspace_root());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_carries_the_prefix_once() {
        assert_eq!(own_name("", "look"), "look");
        assert_eq!(own_name("amelia.", "look"), "amelia.look");
        assert_eq!(own_name("amelia.", "amelia.look"), "amelia.look");
    }

    #[test]
    fn a_prefix_brings_nothing_that_sql_wants_quotes_for() {
        assert_eq!(schema_name("", "lab05"), "lab05");
        assert_eq!(schema_name("class-7.", "lab05"), "class_7_lab05");
    }
}
