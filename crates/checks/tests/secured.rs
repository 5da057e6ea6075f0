//! What `make secured` has running beside it ends with it, and a broker that can't be lost makes no
//! run green.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What a script does that reads parts of the repository's. `$work` is a folder of its own.
fn script(text: &str, work: &Path) -> Output {
    let text = format!("set -euo pipefail\nwork=$1\n{text}");
    Command::new("bash")
        .args(["-c", &text, "script"])
        .arg(work)
        .current_dir(root())
        .output()
        .unwrap()
}

/// Whether a process runs; one that only waits to be noticed by its parent does not.
fn runs(process: &str) -> bool {
    let asked = Command::new("ps").args(["-o", "stat=", "-p", process]).output().unwrap();
    let state = String::from_utf8(asked.stdout).unwrap();
    !state.trim().is_empty() && !state.starts_with('Z')
}

#[test]
fn what_a_script_has_started_ends_with_it_and_so_do_the_children() {
    let work = tempfile::tempdir().unwrap();
    let failing = r#"
        . scripts/background.sh
        trap end_background EXIT
        supervisor() {
            tail -f /dev/null &
            echo $! >"$work/child"
            wait
        }
        in_background supervisor
        echo $! >"$work/supervisor"
        until [ -s "$work/child" ]; do :; done
        false
    "#;
    assert!(!script(failing, work.path()).status.success());
    for name in ["supervisor", "child"] {
        let process = std::fs::read_to_string(work.path().join(name)).unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while runs(process.trim()) {
            assert!(Instant::now() < deadline, "the {name} still runs 20 s after the script's end");
            std::thread::yield_now();
        }
    }
}

#[test]
fn a_topic_without_a_leader_ends_the_run_with_a_sentence() {
    let work = tempfile::tempdir().unwrap();
    let lost = r#"
        as_admin() { echo "Topic: amelia.storm  Partition: 0  Leader: none  Replicas: 1,2,3"; }
        . scripts/secured-loss.sh
        kill_the_leader
        echo "and went on"
    "#;
    let output = script(lost, work.path());
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(said, "secured: expected a broker that leads amelia.storm, found none\n");
    assert!(!output.status.success());
}

#[test]
fn a_broker_that_does_not_run_cannot_be_killed() {
    let cluster = tempfile::tempdir().unwrap();
    std::fs::write(cluster.path().join("brokers"), "3\n").unwrap();
    for node in ["", "2"] {
        let kill = format!(r#"bash scripts/secured-cluster.sh kill "$work" "{node}""#);
        let output = script(&kill, cluster.path());
        let said = String::from_utf8(output.stderr).unwrap();
        let expected = "secured-cluster: expected the number of a broker that runs, found ";
        assert_eq!(said, format!("{expected}`{node}`\n"));
        assert!(!output.status.success());
    }
}
