//! `scripts/setup.sh` in folders that a clone may lie in.

use std::path::Path;
use std::process::{Command, Output};

/// What `setup.sh --check` says on a copy of the scripts in a folder of this name.
fn check_in(name: &str) -> String {
    check_with(name, &[])
}

/// The same with these variables set.
fn check_with(name: &str, variables: &[(&str, &str)]) -> String {
    let temp = tempfile::tempdir().unwrap();
    said(&set_up(&temp.path().join(name), &["--check"], variables))
}

/// `setup.sh` on a copy of the scripts in this folder.
fn set_up(clone: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::create_dir_all(clone.join("scripts")).unwrap();
    let requirements = "scripts/kingfisher-requirements.txt";
    for file in ["scripts/setup.sh", requirements, "versions.env", "rust-toolchain.toml"] {
        std::fs::copy(root.join(file), clone.join(file)).unwrap();
    }
    // Read by bash, and not run by the system: another test's child may still hold the copy open for
    // writing, and such a file is no program ("text file busy").
    Command::new("bash")
        .arg(clone.join("scripts/setup.sh"))
        .args(arguments)
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("KAFKA_BOOTSTRAP_SERVERS")
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    let printed = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8(printed).unwrap()
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

/// The value of a setting in a file of the repository.
fn setting(file: &str, begin: &str) -> String {
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file));
    let text = text.unwrap();
    let value = text.lines().find_map(|line| line.strip_prefix(begin)).expect(begin);
    value.trim_matches('"').to_owned()
}

/// A set-up that finds all it needs but Kingfisher, as a user without a terminal. `yes` is `1` where
/// that user agrees.
fn without_kingfisher(yes: &str) {
    let rust = setting("rust-toolchain.toml", "channel = ");
    let cargo = format!("() {{ echo \"cargo $* {rust}\" | sed 's/--version //'; }}");
    let mdbook = format!("() {{ echo mdbook v{}; }}", setting("versions.env", "MDBOOK_VERSION="));
    let temp = tempfile::tempdir().unwrap();
    let variables = [
        // Functions that bash takes from the environment, in the place of the programs.
        ("BASH_FUNC_cargo%%", cargo.as_str()),
        ("BASH_FUNC_mdbook%%", mdbook.as_str()),
        ("BASH_FUNC_id%%", "() { echo 1000; }"),
        ("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9"),
        ("DATABASE_URL", "postgresql://127.0.0.1:9/none"),
        ("TIDEMARK_YES", yes),
        // As where no registry answers.
        ("PIP_NO_INDEX", "1"),
        ("PIP_FIND_LINKS", ""),
    ];
    let output = set_up(temp.path(), &[], &variables);
    let said = said(&output);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("setup: no Kingfisher: pip could not bring it, or was not let."),
        "{said}"
    );
    let built = said.lines().any(|line| line.starts_with("cargo build -p rig-program"));
    assert!(built, "the set-up did not go on: {said}");
}

#[test]
fn a_kingfisher_that_the_registry_refuses_does_not_end_the_set_up() {
    without_kingfisher("1");
}

#[test]
fn a_kingfisher_that_nobody_agreed_to_does_not_end_the_set_up() {
    without_kingfisher("");
}
