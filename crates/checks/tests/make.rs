//! The Makefile's targets call what the book says that they do.

use std::path::Path;
use std::process::Command;

/// The commands that a target would run.
fn dry_run(target: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let output = Command::new("make")
        .args(["--dry-run", "--no-print-directory", target])
        .current_dir(root)
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
