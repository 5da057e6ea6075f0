//! Others that do not move on: a wait says for whom, and ends.

use std::fs;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::common::{OwnRig, ended_within, said, script, test_folder, wait_for};

/// A start that holds the lock and asks Java for its version, for a minute.
fn slow_start(rig: &mut OwnRig, test: &str) -> Child {
    let home = test_folder(test);
    script(&home.join("bin"), "java", "exec sleep 60");
    let mut command = rig.command(&["up"]);
    command.env("JAVA_HOME", &home).stdout(Stdio::null()).stderr(Stdio::null());
    let start = command.spawn().expect("the rig's program runs");
    let lock = rig.place().start_lock();
    let holder = start.id().to_string();
    wait_for("the start to take its lock", || {
        fs::read_to_string(&lock).is_ok_and(|text| text == holder)
    });
    start
}

#[test]
fn a_start_waits_for_another_says_so_and_ends_at_its_limit() {
    let mut rig = OwnRig::that_stays_down("live-lock");
    let mut other = slow_start(&mut rig, "live-lock");
    rig.freeze(other.id().cast_signed());

    rig.set("TIDEMARK_WAIT_SECONDS", "2");
    let (sentence, before) = rig.fails_within(Duration::from_secs(10), &["up"]);
    let whom = format!("another start or end of the servers (process {})", other.id());
    assert_eq!(before, format!("rig: waiting for {whom}, at most 2 s\n"));
    let id = other.id();
    let expected = format!("waited 2 s for {whom}; end it with `kill -9 {id}`, then try again\n");
    assert_eq!(sentence, expected);

    other.kill().expect("the other start can be killed");
    other.wait().expect("the other start was killed");
    // Its lock is free at once. What it would have started next stands in the way no more.
    let began = Instant::now();
    rig.succeeds(&["down"]);
    assert!(began.elapsed() < Duration::from_secs(2), "the lock of a dead process was waited for");
}

#[test]
fn an_end_waits_for_a_start_that_has_begun() {
    let rig = OwnRig::new("end-and-start");
    let start = rig.command(&["up"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let start = start.expect("the rig's program runs");
    let holder = start.id().to_string();
    wait_for("the start to take its lock", || {
        fs::read_to_string(rig.place().start_lock()).is_ok_and(|text| text == holder)
    });
    let ended = rig.succeeds(&["down"]);
    assert!(ended.contains("Kafka and PostgreSQL have ended; nothing of them is left"), "{ended}");
    let started = start.wait_with_output().unwrap();
    assert!(started.status.success(), "{}", said(&started));
    rig.leaves_nothing();
}

#[test]
fn a_keeper_that_does_not_answer_is_named_and_ended_by_down() {
    let rig = OwnRig::new("frozen-keeper");
    rig.succeeds(&["up"]);
    rig.freeze(rig.process(" keep "));

    // As a test would: by the client.
    let (sentence, before) = rig.fails_within(Duration::from_secs(10), &["tool", "kafka-topics"]);
    assert_eq!(sentence, "the rig's keeper does not answer; `make down` ends it and its servers\n");
    assert!(before.contains("rig: waiting for the rig's keeper, at most 5 s"), "{before}");
    let (sentence, _) = rig.fails_within(Duration::from_secs(10), &["up"]);
    assert!(sentence.starts_with("the rig's keeper does not answer"), "{sentence}");

    let ended = ended_within(Duration::from_secs(20), rig.command(&["down"]));
    assert!(said(&ended).contains("Kafka and PostgreSQL have ended"), "{}", said(&ended));
    rig.leaves_nothing();
}
