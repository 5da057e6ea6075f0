//! `make fresh` where it can make no machine.

use std::path::Path;
use std::process::{Command, Output};

fn fresh(kinds: &str, user: &str) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/fresh-machine.sh");
    Command::new("bash")
        .arg(script)
        .env("KINDS", kinds)
        // A function that bash takes from the environment, in the place of the program `id`.
        .env("BASH_FUNC_id%%", format!("() {{ echo {user}; }}"))
        .output()
        .unwrap()
}

#[test]
fn without_root_nothing_is_run_and_the_reason_is_said() {
    let output = fresh("user", "1000");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.starts_with("fresh: NOT RUN: only "), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(output.status.success(), "what a machine can't run is no failure");
}

#[test]
fn an_unknown_kind_is_named_with_those_there_are() {
    let output = fresh("user raspberry", "1000");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("fresh: expected kinds of bare, memory, user, "), "{said}");
    assert!(said.ends_with("found: raspberry\n"), "{said}");
    assert!(!output.status.success());
}
