//! Kafka's own tools and `psql`, spoken to the rig's servers.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use rig::Rig;
use rig::place::Place;

use crate::failure::Failure;
use crate::{folder, java, maven};

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

/// Becomes one of Kafka's tools. The address of the broker is added; all else is the caller's.
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
        .arg(jars.join("*"))
        .arg(class);
    if name != "kafka-dump-log" {
        command.args(["--bootstrap-server", rig.cluster().bootstrap()]);
    }
    command.args(arguments);
    Err(Failure(format!("cannot run {name}: {}", command.exec())))
}

/// Two tools at once must not fetch at once.
fn fetched_jars(place: &Place) -> Result<PathBuf, Failure> {
    let _lock = folder::lock_start(place)?;
    maven::kafka_jars(place)
}

/// Becomes `psql` on the rig's first database.
///
/// # Errors
/// When there is no `psql`.
pub fn psql(rig: &Rig, arguments: &[OsString]) -> Result<(), Failure> {
    let error = Command::new("psql").arg(rig.database_url()).args(arguments).exec();
    Err(Failure(format!(
        "cannot run psql ({error}). Debian, Ubuntu: sudo apt install postgresql-client. \
         macOS: brew install libpq"
    )))
}
