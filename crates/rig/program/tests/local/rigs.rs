//! Rigs with servers on this machine: several at once, and none of them after `down`.

use crate::common::OwnRig;
use crate::every_provider;
use crate::every_provider::traces::Traces;

#[test]
fn down_leaves_nothing_whatever_was_killed() {
    let parts = ["the keeper", "Kafka", "PostgreSQL", "a process of PostgreSQL's", "all of them"];
    every_provider::down_leaves_nothing_after_a_kill_of("local", &parts, |rig, part| {
        let word = |word| Traces::processes(rig, word).map(|(pid, _)| pid).collect::<Vec<_>>();
        match part {
            "the keeper" => kill(rig, &word("keep")),
            "Kafka" => kill(rig, &word("kafka.Kafka")),
            "PostgreSQL" => kill(rig, &word("-D")),
            "a process of PostgreSQL's" => kill(rig, &word("checkpointer")),
            _ => kill(rig, &[word("keep"), word("kafka.Kafka"), word("-D")].concat()),
        }
    });
}

fn kill(rig: &OwnRig, pids: &[i32]) {
    assert!(!pids.is_empty(), "no such process");
    pids.iter().for_each(|pid| rig.kill(*pid));
}

#[test]
fn down_leaves_nothing_of_a_start_that_was_killed_early() {
    every_provider::down_leaves_nothing_of_a_start_that_was_killed(
        "local",
        "the keeper to start",
        |rig| Traces::processes(rig, "keep").next().is_some(),
    );
}

#[test]
fn down_leaves_nothing_of_a_start_that_was_killed_late() {
    every_provider::down_leaves_nothing_of_a_start_that_was_killed(
        "local",
        "Kafka to start",
        |rig| Traces::processes(rig, "kafka.Kafka").next().is_some(),
    );
}

#[test]
fn eight_starts_at_once_end_in_one_broker() {
    every_provider::starts_at_once_end_in_one_broker("local");
}

#[test]
fn two_clones_do_not_meet() {
    every_provider::two_clones_do_not_meet("local");
}

#[test]
fn stop_keeps_the_data() {
    every_provider::stop_keeps_the_data("local");
}
