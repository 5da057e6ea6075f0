//! The life of a rig: started once, found again, ended without a trace.

use std::net::TcpStream;
use std::process::Command;

use crate::common::{OwnRig, pinned, wait_for};

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
    let user = user_of(rig.process("/postgres -D"));
    let expected = match nix::unistd::Uid::effective().is_root() {
        // PostgreSQL refuses to run as root; the rig takes its own user, else `nobody`.
        true => ["postgres", "nobody"].map(str::to_owned).to_vec(),
        false => vec![user_of(std::process::id().cast_signed())],
    };
    assert!(expected.contains(&user), "PostgreSQL runs as {user}, expected {expected:?}");
}

fn user_of(process: i32) -> String {
    let ps = Command::new("ps").args(["-o", "user=", "-p", &process.to_string()]).output();
    String::from_utf8(ps.expect("ps runs").stdout).unwrap().trim().to_owned()
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
fn down_does_not_keep_the_data() {
    let rig = OwnRig::new("data");
    rig.succeeds(&["up"]);
    rig.succeeds(&["tool", "kafka-topics", "--create", "--topic", "gone"]);
    rig.succeeds(&["down"]);
    rig.succeeds(&["up"]);
    assert!(!rig.succeeds(&["tool", "kafka-topics", "--list"]).contains("gone"));
}

/// How long a client keeps them is a matter of `users.rs`, tested there on a clock of its own.
#[test]
fn a_rig_that_nobody_uses_ends_by_itself() {
    let mut rig = OwnRig::new("idle");
    rig.set("TIDEMARK_IDLE_SECONDS", "1");
    rig.succeeds(&["up"]);
    wait_for("the rig to end", || rig.processes().is_empty());
    let log = std::fs::read_to_string(rig.place().keeper_log()).unwrap();
    assert!(log.ends_with("ending: nobody uses the servers\n"), "{log}");
}

#[test]
fn a_broker_that_dies_is_replaced_at_the_next_start() {
    let rig = OwnRig::new("dies");
    rig.succeeds(&["up"]);
    rig.kill(rig.process("kafka.Kafka"));
    wait_for("the keeper to notice", || rig.processes().is_empty());
    rig.succeeds(&["up"]);
    assert!(rig.cluster().answers());
}

#[test]
fn where_no_postgresql_is_installed_maven_brings_one() {
    let mut rig = OwnRig::new("maven-postgres");
    rig.set("TIDEMARK_POSTGRES_BIN", "maven");
    rig.succeeds(&["up"]);
    assert_eq!(rig.cluster().postgres_version, pinned("POSTGRES_VERSION"));
    assert!(rig.succeeds(&["psql", "-c", "SELECT 42 AS answer"]).contains("42"));
}

#[test]
fn a_lock_of_the_caller_is_not_kept_by_the_servers() {
    let rig = OwnRig::new("lock");
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("a-lock-of-the-caller");
    // `flock` runs its command with the locked file open.
    let program = env!("CARGO_BIN_EXE_rig");
    let mut flock = Command::new("flock");
    flock.arg(&path).arg(program).arg("up").envs(rig.settings());
    assert!(flock.status().expect("flock runs").success());
    let file = std::fs::File::create(&path).unwrap();
    assert!(file.try_lock().is_ok(), "the servers hold a lock of whoever started them");
}
