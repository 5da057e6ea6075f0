//! The Makefile's targets call what the book says that they do.

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The commands that a target would run, with variables before it.
fn dry_run(target: &str) -> String {
    let output = Command::new("make")
        .args(["--dry-run", "--no-print-directory"])
        .args(target.split(' '))
        .current_dir(root())
        .env_remove("MAKEFLAGS")
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_servers_targets_are_the_rigs_commands_for_every_provider() {
    for (target, command) in [
        ("up", "up"),
        ("stop", "stop"),
        ("down", "down"),
        ("psql", "psql"),
        ("topics", "tool kafka-topics --list"),
    ] {
        assert_eq!(dry_run(target), format!("cargo run -q -p rig-program -- {command}\n"));
    }
}

#[test]
fn tls_is_a_feature_of_cargos() {
    let up = dry_run("up");
    assert_eq!(dry_run("TLS=1 up"), up.replace("rig-program --", "rig-program --features tls --"));
    assert!(dry_run("TLS=1 demo").contains("lab06-solution --features tls --"));
}

#[test]
fn the_demo_is_the_job_of_lab_06_and_start_shows_it() {
    assert_eq!(dry_run("demo"), "cargo run -q -p lab06-solution -- --partitions 1\n");
    let start = std::fs::read_to_string(root().join("scripts/start.sh")).unwrap();
    assert!(start.lines().any(|line| line.trim() == "make --silent demo"), "{start}");
}
