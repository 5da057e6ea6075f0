//! Kafka's own tools and `psql`, spoken to the rig's servers.

use std::ffi::OsString;
use std::process::{Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rig::Rig;
use rig::place::Place;
use signal_hook::consts::SIGINT;

use crate::failure::Failure;
use crate::jars::{self, Jars};
use crate::java_client::SettingsFile;
use crate::{folder, java};

/// The tools that the chapters use, as Kafka's documentation calls them, each with its class.
const TOOLS: [(&str, &str); 8] = [
    ("kafka-configs", "kafka.admin.ConfigCommand"),
    ("kafka-console-consumer", "org.apache.kafka.tools.consumer.ConsoleConsumer"),
    ("kafka-console-producer", "org.apache.kafka.tools.ConsoleProducer"),
    ("kafka-consumer-groups", "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"),
    ("kafka-delete-records", "org.apache.kafka.tools.DeleteRecordsCommand"),
    ("kafka-dump-log", "org.apache.kafka.tools.DumpLogSegments"),
    ("kafka-get-offsets", "org.apache.kafka.tools.GetOffsetShell"),
    ("kafka-topics", "org.apache.kafka.tools.TopicCommand"),
];

/// Runs one of Kafka's tools. The address of the broker is added, and how to log in; all else is the
/// caller's.
///
/// # Errors
/// When there is no such tool, or no broker, or no Java.
pub fn kafka(rig: &Rig, name: &str, arguments: &[OsString]) -> Result<(), Failure> {
    let class = TOOLS.iter().find(|(tool, _)| *tool == name).map(|(_, class)| class);
    let Some(class) = class else {
        let known: Vec<&str> = TOOLS.iter().map(|(tool, _)| *tool).collect();
        return Err(Failure(format!("no tool `{name}`; there are {}", known.join(", "))));
    };
    let jars = fetched_jars(&Place::of_this_clone())?;
    let mut command = Command::new(java::find()?);
    command
        .args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
        // What goes wrong is printed by the tools themselves; their log would repeat it.
        .args(["-Dlog4j2.level=OFF", "-cp"])
        .arg(jars.class_path())
        .arg(class);
    let settings = SettingsFile::write(&rig.cluster().kafka)?;
    if name != "kafka-dump-log" {
        command.args(["--bootstrap-server", rig.cluster().bootstrap()]);
        if let Some(settings) = &settings {
            command.arg("--command-config").arg(settings.path());
        }
    }
    if name == "kafka-console-consumer" && needs_group(rig.prefix(), arguments) {
        command.arg("--group").arg(rig.own_name(&format!("console-{}", std::process::id())));
        command.args(["--command-property", "enable.auto.commit=false"]);
    }
    let ended = run(command.args(arguments));
    end_as(ended.map_err(|error| Failure(format!("cannot run {name}: {error}")))?)
}

/// Whether the console consumer would make up a group, whose name would have no prefix.
fn needs_group(prefix: &str, arguments: &[OsString]) -> bool {
    let names_one = |argument: &OsString| {
        let argument = argument.to_string_lossy();
        let option = argument.split('=').next().unwrap_or_default();
        ["--group", "--partition", "--help"].contains(&option)
    };
    !prefix.is_empty() && !arguments.iter().any(names_one)
}

/// Two tools at once must not fetch at once.
fn fetched_jars(place: &Place) -> Result<Jars, Failure> {
    let _lock = folder::lock_start(place)?;
    jars::find(place)
}

/// Runs `psql` on the rig's first database.
///
/// # Errors
/// When there is no `psql`.
pub fn psql(rig: &Rig, arguments: &[OsString]) -> Result<(), Failure> {
    // The password goes by the environment: arguments can be read by every user of the machine.
    let (url, password) = without_password(rig.database_url());
    let mut psql = Command::new("psql");
    psql.arg(url).args(arguments).env("PGPASSWORD", password);
    let ended = run(&mut psql).map_err(|error| {
        Failure(format!(
            "cannot run psql ({error}). Debian, Ubuntu: sudo apt install postgresql-client. \
             macOS: brew install libpq"
        ))
    })?;
    end_as(ended)
}

/// `postgresql://user@host/db` and `word` out of `postgresql://user:word@host/db`.
fn without_password(url: &str) -> (String, String) {
    let parts = url.split_once("://").and_then(|(scheme, rest)| {
        let (who, whereto) = rest.rsplit_once('@')?;
        let (user, password) = who.split_once(':')?;
        Some((format!("{scheme}://{user}@{whereto}"), password.to_owned()))
    });
    parts.unwrap_or_else(|| (url.to_owned(), String::new()))
}

/// Runs a program to its end. This process stays: its connection to the keeper is what keeps the
/// servers up meanwhile. Ctrl-C is for the program.
fn run(command: &mut Command) -> std::io::Result<ExitStatus> {
    let _ = signal_hook::flag::register(SIGINT, Arc::new(AtomicBool::new(false)))?;
    command.status()
}

/// Ends this process with the exit code of another, unless that is 0.
fn end_as(ended: ExitStatus) -> Result<(), Failure> {
    match ended.code() {
        Some(0) => Ok(()),
        Some(code) => std::process::exit(code),
        None => Err(Failure(format!("ended by a signal: {ended}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_console_consumer_is_given_a_group_only_where_it_would_make_one_up() {
        let needs = |prefix: &str, argument: &str| needs_group(prefix, &[argument.into()]);
        assert!(needs("amelia.", "--from-beginning"));
        assert!(!needs("", "--from-beginning"));
        assert!(!needs("amelia.", "--group=amelia.look"));
        assert!(!needs("amelia.", "--partition"));
    }
}
