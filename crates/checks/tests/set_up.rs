//! `scripts/setup.sh` in folders that a clone may lie in.

use std::path::Path;
use std::process::Command;

/// What `setup.sh --check` says on a copy of the scripts in a folder of this name.
fn check_in(name: &str) -> String {
    check_with(name, &[])
}

/// The same with these variables set.
fn check_with(name: &str, variables: &[(&str, &str)]) -> String {
    let temp = tempfile::tempdir().unwrap();
    let clone = temp.path().join(name);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::create_dir_all(clone.join("scripts")).unwrap();
    for file in ["scripts/setup.sh", "versions.env", "rust-toolchain.toml"] {
        std::fs::copy(root.join(file), clone.join(file)).unwrap();
    }
    // Read by bash, and not run by the system: another test's child may still hold the copy open for
    // writing, and such a file is no program ("text file busy").
    let output = Command::new("bash")
        .arg(clone.join("scripts/setup.sh"))
        .arg("--check")
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("KAFKA_BOOTSTRAP_SERVERS")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

#[test]
fn a_path_with_a_space_is_one_sentence_with_its_fix() {
    let said = check_in("my course");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(
        said.starts_with("setup: the path has a space, and librdkafka can't be built"),
        "{said}"
    );
    assert!(said.contains("Move the clone, or set CARGO_TARGET_DIR"), "{said}");
}

#[test]
fn a_path_with_an_umlaut_is_no_matter() {
    let said = check_in("größe");
    assert!(!said.contains("path"), "{said}");
}

#[test]
fn a_java_home_without_a_java_is_named_with_its_fix() {
    let said = check_with("course", &[("JAVA_HOME", "/nowhere")]);
    let sentence = said.lines().find(|line| line.contains("JAVA_HOME")).unwrap_or_default();
    assert!(sentence.starts_with("setup: JAVA_HOME is /nowhere, and no Java "), "{said}");
    assert!(sentence.ends_with("or newer is there; unset it, or set it to one"), "{said}");
}

#[test]
fn a_cargo_home_that_cannot_be_written_is_one_sentence_with_its_fix() {
    let said = check_with("course", &[("CARGO_HOME", "/dev/null/cargo")]);
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.starts_with("setup: /dev/null/cargo can't be written, and cargo keeps"), "{said}");
    assert!(said.contains("Set CARGO_HOME to a folder that can be written"), "{said}");
}
