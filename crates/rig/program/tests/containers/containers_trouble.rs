//! Containers that are stopped, paused, killed or removed behind the rig's back, and keepers that
//! are killed.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rig::cluster::Cluster;

use crate::common::{OwnRig, wait_for};
use crate::docker::{Image, OwnImages, all, docker, id, running};
use crate::{rig, run_within, up};

/// Makes a topic and a table, to be looked for later.
#[track_caller]
fn leave_data(rig: &OwnRig) {
    rig.succeeds(&["tool", "kafka-topics", "--create", "--topic", "kept"]);
    rig.succeeds(&["psql", "-c", "CREATE TABLE kept (answer int)"]);
}

fn has_topic(rig: &OwnRig) -> bool {
    rig.succeeds(&["tool", "kafka-topics", "--list"]).contains("kept")
}

fn has_table(rig: &OwnRig) -> bool {
    rig.succeeds(&["psql", "-c", "\\dt"]).contains("kept")
}

/// Waits until the keeper has seen the trouble, and returns its last word.
#[track_caller]
fn keeper_ends(rig: &OwnRig) -> String {
    wait_for("the keeper to notice and to end", || rig.processes().is_empty());
    let log = std::fs::read_to_string(rig.place().keeper_log()).unwrap();
    log.lines().rfind(|line| line.starts_with("ending: ")).unwrap_or_default().to_owned()
}

fn pid_of(rig: &OwnRig, part: &str) -> i32 {
    let processes = rig.processes();
    let found = processes.iter().find(|(_, line)| line.contains(part));
    found.unwrap_or_else(|| panic!("no process with `{part}` among {processes:?}")).0
}

#[test]
fn what_is_done_by_hand_costs_no_data() {
    for (verb, word) in [
        ("stop", "Kafka's container has ended with exit code 143"),
        ("pause", "Kafka's container was paused"),
        ("kill", "Kafka's container was killed"),
    ] {
        let rig = rig(&format!("by-hand-{verb}"));
        up(&rig);
        leave_data(&rig);
        let before = (id(&rig, "kafka"), id(&rig, "postgres"));
        docker(&[verb, &before.0]);
        assert_eq!(keeper_ends(&rig), format!("ending: {word}"));
        assert_eq!(running(&rig), [] as [&str; 0], "after {verb}");
        let said = up(&rig);
        assert!(!said.contains("lost"), "{said}");
        assert_eq!((id(&rig, "kafka"), id(&rig, "postgres")), before, "after {verb}");
        assert!(has_topic(&rig) && has_table(&rig), "data are lost after {verb}");
    }
}

/// The keeper is killed as soon as it has ordered: the order is there, and then the input ends.
/// Whether the program asks the engine for the containers before it sees the end is chance, so it
/// gets several orders.
#[test]
fn a_start_that_is_given_up_at_once_costs_no_data() {
    let rig = rig("given-up");
    up(&rig);
    let before = (id(&rig, "kafka"), id(&rig, "postgres"));
    rig.succeeds(&["stop"]);
    let order = std::fs::read_to_string(rig.folder().join("containers.json")).unwrap();
    for _ in 0..5 {
        let mut program = rig::cargo();
        program.args(["run", "--quiet", "--package", "rig-containers", "--", "serve"]);
        program.arg(rig.folder()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut program = program.spawn().unwrap();
        writeln!(program.stdin.take().unwrap(), "{order}").unwrap();
        let said = program.wait_with_output().unwrap().stdout;
        let said = String::from_utf8_lossy(&said);
        assert!(!said.lines().any(|line| line == "ready"), "it started the containers");
    }
    assert_eq!(all(&rig), ["kafka", "postgres"]);
    up(&rig);
    assert_eq!((id(&rig, "kafka"), id(&rig, "postgres")), before);
}

#[test]
fn a_server_that_dies_under_a_client_is_an_error_and_then_there_again() {
    let rig = rig("dies");
    up(&rig);
    leave_data(&rig);
    let client: BaseConsumer = client_config(&rig.cluster()).create().unwrap();
    client.fetch_metadata(Some("kept"), Duration::from_secs(5)).expect("the client is at work");
    docker(&["kill", &id(&rig, "kafka")]);
    let began = Instant::now();
    let answer = client.fetch_metadata(Some("kept"), Duration::from_secs(5));
    assert!(answer.is_err(), "a dead broker answered");
    assert!(began.elapsed() < Duration::from_secs(10), "the client hung");
    // At once, whether the keeper has noticed or not.
    up(&rig);
    assert!(has_topic(&rig), "the topic is lost");
}

fn client_config(cluster: &Cluster) -> ClientConfig {
    cluster.kafka()
}

#[test]
fn a_paused_server_is_noticed_by_the_next_start_at_once() {
    let rig = rig("paused");
    up(&rig);
    leave_data(&rig);
    docker(&["pause", &id(&rig, "postgres")]);
    up(&rig);
    assert!(rig.cluster().answers());
    assert!(has_table(&rig), "the table is lost");
}

#[test]
fn a_removed_container_is_made_anew_and_the_other_one_kept() {
    let rig = rig("removed");
    up(&rig);
    leave_data(&rig);
    docker(&["rm", "--force", "--volumes", &id(&rig, "kafka")]);
    // `rm --force` kills before it removes, and the keeper may look in between.
    let ended = keeper_ends(&rig);
    let seen = ["ending: Kafka's container was removed", "ending: Kafka's container was killed"];
    assert!(seen.contains(&ended.as_str()), "{ended}");
    up(&rig);
    assert!(!has_topic(&rig), "a removed container has no data");
    assert!(has_table(&rig), "PostgreSQL was not removed");
}

#[test]
fn a_container_that_never_answers_again_is_replaced_and_the_loss_is_said() {
    let images = OwnImages::new("once");
    let only_once = "[ -e /started ] && exec sleep 600; touch /started; exec \"$@\"";
    images.start_with(Image::Kafka, only_once);
    let mut rig = rig("replaced");
    rig.set("TIDEMARK_REGISTRY", images.prefix());
    up(&rig);
    rig.succeeds(&["stop"]);
    let before = id(&rig, "kafka");
    rig.set("TIDEMARK_WAIT_SECONDS", "15");
    let said = up(&rig);
    let expected = "Kafka's container did not answer within 15 s";
    let line = said.lines().find(|line| line.contains(expected)).unwrap_or_default();
    assert!(line.contains("replacing it, what was in it is lost"), "{said}");
    assert_ne!(id(&rig, "kafka"), before);
}

#[test]
fn a_killed_keeper_leaves_no_container_running() {
    let rig = rig("keeper");
    up(&rig);
    leave_data(&rig);
    rig.kill(pid_of(&rig, " keep "));
    // At once: the containers' program of the killed keeper still stops them.
    up(&rig);
    let serving: Vec<_> =
        rig.processes().into_iter().filter(|(_, line)| line.contains("rig-containers")).collect();
    assert_eq!(serving.len(), 1, "{serving:?}");
    assert!(has_topic(&rig) && has_table(&rig), "data are lost");
    rig.kill(pid_of(&rig, " keep "));
    wait_for("the containers to be stopped", || running(&rig).is_empty());
}

#[test]
fn the_slow_end_of_an_earlier_start_does_not_reach_the_next_one() {
    let rig = rig("successor");
    up(&rig);
    let earlier = pid_of(&rig, "rig-containers");
    send(earlier, Signal::SIGSTOP);
    rig.kill(pid_of(&rig, " keep "));
    let mut command = rig.command(&["up"]);
    let mut next = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    // The next start waits for the frozen program, or it is ready without having met it.
    let mut said = BufReader::new(next.stderr.take().unwrap()).lines().map_while(Result::ok);
    let waits = said.any(|line| line.contains("waiting for what an earlier start has left"));
    send(earlier, Signal::SIGCONT);
    said.for_each(drop);
    assert!(next.wait().unwrap().success());
    wait_for("the earlier program to end", || {
        rig.processes().iter().all(|(pid, _)| *pid != earlier)
    });
    assert_eq!(running(&rig), ["kafka", "postgres"], "the earlier program has stopped them");
    assert!(waits, "the start did not wait for the earlier program");
}

fn send(pid: i32, signal: Signal) {
    kill(Pid::from_raw(pid), signal).expect("the process is there");
}

#[test]
fn a_keeper_whose_containers_program_was_killed_stops_the_containers_itself() {
    let rig = rig("program");
    up(&rig);
    rig.kill(pid_of(&rig, "rig-containers"));
    let word = "ending: the program that keeps the containers has ended";
    assert_eq!(keeper_ends(&rig), word);
    assert_eq!(running(&rig), [] as [&str; 0]);
    up(&rig);
}

/// Kills the keeper and the containers' program, so that nobody is left who would stop them.
fn kill_all(rig: &OwnRig) {
    // The program first: it would see its keeper go.
    for part in ["rig-containers", " keep "] {
        rig.kill(pid_of(rig, part));
    }
    assert_eq!(running(rig), ["kafka", "postgres"]);
}

#[test]
fn stop_and_down_find_containers_that_nobody_keeps() {
    let rig = rig("nobody");
    up(&rig);
    kill_all(&rig);
    let said = rig.succeeds(&["stop"]);
    assert!(said.contains("have ended; their data are kept"), "{said}");
    assert_eq!(running(&rig), [] as [&str; 0]);
    assert_eq!(all(&rig), ["kafka", "postgres"]);
    up(&rig);
    kill_all(&rig);
    assert!(rig.succeeds(&["down"]).contains("have ended; nothing of them is left"));
    assert_eq!(all(&rig), [] as [&str; 0]);
    rig.leaves_nothing();
}

#[test]
fn down_finds_containers_whose_folder_is_lost() {
    let rig = rig("lost-folder");
    up(&rig);
    let volumes =
        docker(&["inspect", "--format={{range .Mounts}}{{.Name}} {{end}}", &id(&rig, "postgres")]);
    kill_all(&rig);
    std::fs::remove_dir_all(rig.folder()).unwrap();
    rig.succeeds(&["down"]);
    assert_eq!(all(&rig), [] as [&str; 0]);
    let left = docker(&["volume", "ls", "--quiet"]);
    for volume in volumes.split_whitespace() {
        assert!(!left.contains(volume), "volume {volume} is left");
    }
}

#[test]
fn down_without_an_engine_says_that_containers_may_be_left() {
    let mut rig = rig("engine-gone");
    up(&rig);
    rig.succeeds(&["stop"]);
    let order = rig.folder().join("containers.json");
    let kept = std::fs::read_to_string(&order).unwrap();
    // As if the engine had been at a socket that is gone.
    let mut elsewhere: serde_json::Value = serde_json::from_str(&kept).unwrap();
    elsewhere["docker_host"] = "unix:///var/tmp/no-such-docker.sock".into();
    std::fs::write(&order, elsewhere.to_string()).unwrap();
    rig.set("TIDEMARK_RIG", "containers");
    let output = run_within(Duration::from_secs(5), &rig, &["down"]);
    assert!(!output.status.success());
    let sentence = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(sentence.starts_with("containers may be left: no Docker engine answers"), "{sentence}");
    assert_eq!(all(&rig), ["kafka", "postgres"], "they are there for the next attempt");
    std::fs::write(&order, kept).unwrap();
}
