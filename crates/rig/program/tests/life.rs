//! The life of a rig: started once, found again, ended without a trace.

mod common;

use std::net::TcpStream;
use std::process::Stdio;

use common::{OwnRig, said, wait_for};
use rig::control::Control;

#[test]
fn a_rig_is_started_once_and_found_again() {
    let rig = OwnRig::new("found-again");
    let first = rig.succeeds(&["up"]);
    assert!(first.contains("taking Kafka"), "{first}");
    let address = rig.cluster().bootstrap().to_owned();
    let second = rig.succeeds(&["up"]);
    assert!(!second.contains("taking"), "the second start was no start: {second}");
    assert_eq!(rig.cluster().bootstrap(), address);
    assert!(rig.succeeds(&["status"]).contains(&address));
}

#[test]
fn several_starts_at_once_end_in_one_broker() {
    let rig = OwnRig::new("at-once");
    let starts: Vec<_> = (0..4)
        .map(|_| rig.command(&["up"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn())
        .collect();
    for start in starts {
        let output = start.unwrap().wait_with_output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
    }
    let java: Vec<_> =
        rig.processes().into_iter().filter(|(_, line)| line.contains("kafka.Kafka")).collect();
    assert_eq!(java.len(), 1, "{java:?}");
}

#[test]
fn down_leaves_no_process_no_port_and_no_folder() {
    let rig = OwnRig::new("down");
    rig.succeeds(&["up"]);
    let cluster = rig.cluster();
    assert!(rig.succeeds(&["down"]).contains("have ended"));
    rig.leaves_nothing();
    for address in [cluster.bootstrap(), cluster.database_address()] {
        assert!(TcpStream::connect(address).is_err(), "{address} is still open");
    }
    assert!(rig.succeeds(&["down"]).contains("were not running"));
}

#[test]
fn stop_keeps_the_data_and_down_does_not() {
    let rig = OwnRig::new("data");
    rig.succeeds(&["up"]);
    rig.succeeds(&["tool", "kafka-topics", "--create", "--topic", "kept"]);
    rig.succeeds(&["stop"]);
    rig.succeeds(&["up"]);
    assert!(rig.succeeds(&["tool", "kafka-topics", "--list"]).contains("kept"));
    rig.succeeds(&["down"]);
    rig.succeeds(&["up"]);
    assert!(!rig.succeeds(&["tool", "kafka-topics", "--list"]).contains("kept"));
}

#[test]
fn a_rig_that_nobody_uses_ends_by_itself() {
    let mut rig = OwnRig::new("idle");
    rig.set("TIDEMARK_IDLE_SECONDS", "2");
    rig.succeeds(&["up"]);
    let client = Control::connect(&rig.cluster()).expect("the keeper answers");
    let kept = rig.place();
    // Longer than the idle time: the client is what keeps it.
    let until = std::time::Instant::now() + std::time::Duration::from_secs(3);
    wait_for("the idle time to pass", || std::time::Instant::now() > until);
    assert!(rig::cluster::Cluster::read(&kept).is_some(), "ended although a client was there");
    drop(client);
    wait_for("the rig to end", || rig.processes().is_empty());
}

#[test]
fn a_broker_that_dies_is_replaced_at_the_next_start() {
    let rig = OwnRig::new("dies");
    rig.succeeds(&["up"]);
    let broker = rig.processes().into_iter().find(|(_, line)| line.contains("kafka.Kafka"));
    rig.kill(broker.expect("the broker runs").0);
    wait_for("the keeper to notice", || rig.processes().is_empty());
    rig.succeeds(&["up"]);
    assert!(rig.cluster().answers());
}

#[test]
fn where_no_postgresql_is_installed_maven_brings_one() {
    let mut rig = OwnRig::new("maven-postgres");
    rig.set("TIDEMARK_POSTGRES_BIN", "maven");
    rig.succeeds(&["up"]);
    let pinned = include_str!("../../../../versions.env");
    let version = pinned.lines().find_map(|line| line.strip_prefix("POSTGRES_VERSION="));
    assert_eq!(Some(rig.cluster().postgres_version.as_str()), version);
    assert!(rig.succeeds(&["psql", "-c", "SELECT 42 AS answer"]).contains("42"));
}

#[test]
fn a_lock_of_the_caller_is_not_kept_by_the_servers() {
    let rig = OwnRig::new("lock");
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("a-lock-of-the-caller");
    // `flock` runs its command with the locked file open.
    let program = env!("CARGO_BIN_EXE_rig");
    let mut flock = std::process::Command::new("flock");
    flock.arg(&path).arg(program).arg("up").envs(rig.settings());
    assert!(flock.status().expect("flock runs").success());
    let file = std::fs::File::create(&path).unwrap();
    assert!(file.try_lock().is_ok(), "the servers hold a lock of whoever started them");
}
