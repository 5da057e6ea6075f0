//! Rigs with servers in containers: several at once, and none of them after `down`.

use crate::common::{OwnRig, on_path, script, test_folder};
use crate::every_provider::traces::{Traces, docker};
use crate::every_provider::{self, own_rig};

#[test]
fn down_leaves_nothing_whatever_was_killed() {
    let parts = ["the keeper", "the containers' program", "Kafka", "PostgreSQL", "all of them"];
    every_provider::down_leaves_nothing_after_a_kill_of(
        "containers",
        &parts,
        |rig, part| match part {
            "the keeper" => kill(rig, "keep"),
            "the containers' program" => kill(rig, "rig-containers"),
            "Kafka" => kill_container(rig, "kafka"),
            "PostgreSQL" => kill_container(rig, "postgres"),
            _ => {
                kill(rig, "keep");
                kill(rig, "rig-containers");
                kill_container(rig, "kafka");
                kill_container(rig, "postgres");
            }
        },
    );
}

fn kill(rig: &OwnRig, word: &str) {
    let pids: Vec<i32> = Traces::processes(rig, word).map(|(pid, _)| pid).collect();
    assert!(!pids.is_empty(), "no process has `{word}` in its command line");
    pids.into_iter().for_each(|pid| rig.kill(pid));
}

/// Kills the server in a container, which ends with it.
fn kill_container(rig: &OwnRig, server: &str) {
    let rigs = format!("label=tidemark.rig={}", rig.folder().display());
    let servers = format!("label=tidemark.server={server}");
    let found = docker(&["ps", "--quiet", "--filter", &rigs, "--filter", &servers]);
    // The containers' program may have stopped it already, since it was killed before.
    for container in found.expect("docker lists containers").lines() {
        let _ = docker(&["kill", container]);
    }
}

#[test]
fn down_leaves_nothing_of_a_start_that_was_killed_early() {
    every_provider::down_leaves_nothing_of_a_start_that_was_killed(
        "containers",
        "the keeper to start",
        |rig| Traces::processes(rig, "keep").next().is_some(),
    );
}

/// cargo brings the containers' program up to date before it becomes that program. Here it is slow
/// at that, as it is where another cargo builds.
#[test]
fn down_leaves_nothing_of_a_start_that_was_killed_while_cargo_looks() {
    let folder = test_folder("slow-cargo");
    let cargo = on_path("cargo").display().to_string();
    let slow_to_serve = r#"case "$*" in *" serve "*) sleep 30 ;; esac"#;
    script(&folder, "cargo", &format!("{slow_to_serve}\nexec '{cargo}' \"$@\""));
    let mut rig = own_rig("containers", "killed-cargo");
    rig.set("CARGO", folder.join("cargo").display().to_string());
    every_provider::down_leaves_nothing_of_a_killed_start_of(&rig, "cargo to look", |rig| {
        Traces::processes(rig, "serve").next().is_some()
    });
}

#[test]
fn down_leaves_nothing_of_a_start_that_was_killed_late() {
    every_provider::down_leaves_nothing_of_a_start_that_was_killed(
        "containers",
        "the first container",
        |rig| Traces::of(rig).has_container(),
    );
}

#[test]
fn eight_starts_at_once_end_in_one_broker() {
    every_provider::starts_at_once_end_in_one_broker("containers");
}

#[test]
fn two_clones_do_not_meet() {
    every_provider::two_clones_do_not_meet("containers");
}

#[test]
fn stop_keeps_the_data() {
    every_provider::stop_keeps_the_data("containers");
}
