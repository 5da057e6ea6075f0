//! Servers in containers: what can go wrong with a Docker engine, its images and its containers.
//!
//! Each test makes the fault happen with a real engine, and says how long the rig took. Without an
//! engine every test is red: `cargo test` leaves them out, `--test containers` asks for them.

#[path = "../common/mod.rs"]
mod common;
#[path = "../every_provider/mod.rs"]
mod every_provider;

mod containers_trouble;
mod docker;
mod engine_faults;
mod image_faults;
mod limits;
mod rigs;
mod warm;

use std::process::{Output, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use rig::cluster::Provider;
use rig::say::say;

use crate::common::{OwnRig, said};

/// How many rigs may have servers at once. No more: several tests set a short limit of time for a fault,
/// and the provider that takes over has to start within the same limit.
const RIGS_AT_ONCE: usize = 2;

/// What a start of the local provider may take in addition, with other work on the machine.
const LOCAL_START: Duration = Duration::from_secs(30);

/// How long a start of sound containers may take, with other work on the machine.
const CONTAINERS_START: Duration = Duration::from_secs(60);

/// A rig that takes containers and nothing else.
fn rig(test: &str) -> OwnRig {
    docker::engine_is_there();
    let mut rig = OwnRig::new(&format!("containers-{test}"));
    rig.set("TIDEMARK_RIG", "containers");
    rig
}

/// Runs the rig's program, which must end within this time.
#[track_caller]
fn run_within(limit: Duration, rig: &OwnRig, arguments: &[&str]) -> Output {
    let began = Instant::now();
    let mut command = rig.command(arguments);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.expect("the rig's program runs");
    let pid = i32::try_from(child.id()).expect("a pid fits in an i32");
    let (ended, is_ended) = channel();
    std::thread::spawn(move || ended.send(child.wait_with_output()));
    match is_ended.recv_timeout(limit) {
        Ok(output) => {
            let test = std::thread::current().name().unwrap_or_default().to_owned();
            let seconds = began.elapsed().as_secs_f32();
            say(&format!("  {test}: rig {} took {seconds:.1} s", arguments.join(" ")));
            output.expect("the output can be read")
        }
        Err(_) => {
            rig.kill(pid);
            panic!("rig {arguments:?} did not end within {} s", limit.as_secs());
        }
    }
}

/// Brings the rig up in containers, and returns what was said.
#[track_caller]
fn up(rig: &OwnRig) -> String {
    let output = run_within(CONTAINERS_START, rig, &["up"]);
    assert!(output.status.success(), "rig up failed: {}", said(&output));
    assert_eq!(rig.cluster().provider, Provider::Containers);
    said(&output)
}

/// Fails with one sentence within this time, and leaves no container running.
#[track_caller]
fn fails_within(limit: Duration, rig: &OwnRig) -> String {
    let output = run_within(limit, rig, &["up"]);
    assert!(!output.status.success(), "rig up went well: {}", said(&output));
    let sentence = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(sentence.lines().count(), 1, "expected one sentence, found: {sentence}");
    let running = docker::running(rig);
    assert!(running.is_empty(), "containers still run: {running:?}");
    sentence
}

/// Where containers are forced, the fault ends in one sentence within this time. Where nothing is
/// forced, it ends in the local provider, with a line that says why.
#[track_caller]
fn ends_in_the_next_provider(limit: Duration, mut rig: OwnRig, why: &str) {
    let sentence = fails_within(limit, &rig);
    assert!(sentence.contains(why), "expected `{why}` in: {sentence}");

    rig.set("TIDEMARK_RIG", "");
    let output = run_within(limit + LOCAL_START, &rig, &["up"]);
    let said = said(&output);
    assert!(output.status.success(), "the local provider did not take over: {said}");
    assert_eq!(rig.cluster().provider, Provider::Local);
    let line = said.lines().find(|line| line.contains("from this machine")).unwrap_or_default();
    assert!(line.contains(why), "expected one line that says why and what is taken: {said}");
    let running = docker::running(&rig);
    assert!(running.is_empty(), "containers still run: {running:?}");
}
