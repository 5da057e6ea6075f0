//! What holds for each provider whose servers the rig starts.

#![allow(dead_code, reason = "each test file uses its part")]

pub mod traces;

use std::collections::HashSet;
use std::process::{Child, Stdio};

use crate::common::{OwnRig, said, wait_for};
use traces::Traces;

/// How many programs start the servers at once.
const STARTS_AT_ONCE: usize = 8;

/// A rig of a test's own that has its servers from this provider.
pub fn own_rig(provider: &'static str, test: &str) -> OwnRig {
    let mut rig = OwnRig::new(&format!("{provider}-{test}"));
    rig.set("TIDEMARK_RIG", provider);
    rig
}

fn start(rig: &OwnRig) -> Child {
    let mut up = rig.command(&["up"]);
    up.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the rig's program runs")
}

/// Whatever of the rig is killed, `down` leaves nothing: `kill` is called with each of the names
/// in turn and kills that part of a rig that is up.
pub fn down_leaves_nothing_after_a_kill_of(
    provider: &'static str,
    parts: &[&str],
    kill: impl Fn(&OwnRig, &str),
) {
    let rig = own_rig(provider, "killed-parts");
    for part in parts {
        rig.succeeds(&["up"]);
        let before = Traces::of(&rig);
        before.is_there();
        kill(&rig, part);
        rig.succeeds(&["down"]);
        assert_eq!(before.left(&rig), Vec::<String>::new(), "after a kill of {part}");
    }
}

/// The program that started the keeper is killed while the servers start, once this moment has
/// come, and `down` follows at once.
pub fn down_leaves_nothing_of_a_start_that_was_killed(
    provider: &'static str,
    moment: &str,
    has_come: impl Fn(&OwnRig) -> bool,
) {
    let rig = own_rig(provider, "killed-start");
    down_leaves_nothing_of_a_killed_start_of(&rig, moment, has_come);
}

/// The same with a rig that has settings of its own.
pub fn down_leaves_nothing_of_a_killed_start_of(
    rig: &OwnRig,
    moment: &str,
    has_come: impl Fn(&OwnRig) -> bool,
) {
    let mut up = start(rig);
    wait_for(moment, || has_come(rig));
    up.kill().expect("the start can be killed");
    up.wait().expect("the start was killed");
    let before = Traces::of(rig);
    rig.succeeds(&["down"]);
    assert_eq!(before.left(rig), Vec::<String>::new());
}

/// Several programs that start the servers at once all get the same ones.
pub fn starts_at_once_end_in_one_broker(provider: &'static str) {
    let rig = own_rig(provider, "at-once");
    let starts: Vec<Child> = (0..STARTS_AT_ONCE).map(|_| start(&rig)).collect();
    let mut addresses = HashSet::new();
    for start in starts {
        let output = start.wait_with_output().expect("the start ends");
        assert!(output.status.success(), "{}", said(&output));
        addresses.insert(rig.succeeds(&["status"]));
    }
    assert_eq!(addresses.len(), 1, "{addresses:?}");
    assert_eq!(Traces::of(&rig).brokers(&rig), 1);
    rig.succeeds(&["down"]);
}

/// Two clones on one machine: other ports, other topics, other databases, and one of them ends
/// alone.
pub fn two_clones_do_not_meet(provider: &'static str) {
    let first = own_rig(provider, "first-clone");
    let second = first.beside(&format!("{provider}-second-clone"));
    for (rig, name) in [(&first, "first"), (&second, "second")] {
        rig.succeeds(&["up"]);
        rig.succeeds(&["tool", "kafka-topics", "--create", "--topic", &format!("{name}-topic")]);
        rig.succeeds(&["psql", "-c", &format!("CREATE DATABASE {name}_database")]);
    }
    for (rig, own, other) in [(&first, "first", "second"), (&second, "second", "first")] {
        let topics = rig.succeeds(&["tool", "kafka-topics", "--list"]);
        let databases = rig.succeeds(&["psql", "-Atc", "SELECT datname FROM pg_database"]);
        for (listed, kind) in [(topics, "topic"), (databases, "database")] {
            assert!(listed.contains(own), "the {own} clone lost its {kind}: {listed}");
            assert!(
                !listed.contains(other),
                "the {own} clone sees a {kind} of the other: {listed}"
            );
        }
    }
    let (before, second_address) = (Traces::of(&first), second.cluster().bootstrap().to_owned());
    first.succeeds(&["down"]);
    assert_eq!(before.left(&first), Vec::<String>::new());
    assert!(second.succeeds(&["up"]).contains(&second_address), "the second clone was restarted");
    let topics = second.succeeds(&["tool", "kafka-topics", "--list"]);
    assert!(topics.contains("second-topic"), "{topics}");
    second.succeeds(&["down"]);
}

/// A stop ends the servers and keeps their data, and the next start has them on the same commands.
pub fn stop_keeps_the_data(provider: &'static str) {
    let rig = own_rig(provider, "stop");
    rig.succeeds(&["up"]);
    rig.succeeds(&["tool", "kafka-topics", "--create", "--topic", "kept"]);
    rig.succeeds(&["psql", "-c", "CREATE DATABASE kept"]);
    let before = Traces::of(&rig);
    assert!(rig.succeeds(&["stop"]).contains("have ended; their data are kept"));
    assert_eq!(before.open_ports(), Vec::<&String>::new());
    rig.succeeds(&["up"]);
    assert!(rig.succeeds(&["tool", "kafka-topics", "--list"]).contains("kept"));
    assert!(rig.succeeds(&["psql", "-Atc", "SELECT datname FROM pg_database"]).contains("kept"));
    rig.succeeds(&["down"]);
}
