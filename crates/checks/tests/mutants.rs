//! The tests that `make mutants` asks need no server.

use std::path::Path;
use std::process::Command;

/// Runs the tests by which a lab's changes are judged, on the unchanged answer.
fn judges_are_content(lab: &str) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/mutants.sh");
    let output = Command::new("bash").arg(script).args(["--tests", lab]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{lab}: {said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(!said.contains(" 0 passed"), "{lab}: {said}");
}

#[test]
fn no_test_that_judges_a_change_asks_for_a_server() {
    let labs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../labs");
    let names = labs.read_dir().unwrap().map(|entry| entry.unwrap().file_name());
    let names = names.filter_map(|name| name.into_string().ok());
    for lab in names.filter(|name| name.starts_with("lab")) {
        judges_are_content(&lab);
    }
}
