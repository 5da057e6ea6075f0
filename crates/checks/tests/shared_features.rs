//! What a learner's first test compiles is not compiled once more for the rig's program.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// The packages that building this one takes, each with its features.
fn features(package: &str, edges: &str) -> BTreeMap<String, String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
    cargo.args(["tree", "--locked", "--no-dedupe", "--prefix=none", "--format={p}: {f}"]);
    let output = cargo.args(["--package", package, "--edges", edges]).output();
    let output = output.expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).expect("names are UTF-8");
    let packages = tree.lines().filter_map(|line| line.split_once(": "));
    packages.map(|(package, features)| (package.to_owned(), features.to_owned())).collect()
}

#[test]
fn the_rigs_program_takes_what_lab_01_has_compiled() {
    let lab = features("lab01", "normal,build,dev");
    let program = features("rig-program", "normal,build");
    assert!(program.keys().any(|package| package.starts_with("rdkafka-sys ")), "{program:?}");
    let compiled_twice: Vec<String> = program
        .iter()
        .filter_map(|(package, features)| Some((package, features, lab.get(package)?)))
        .filter(|(_, features, first)| features != first)
        .map(|(package, features, first)| format!("{package}: [{first}], then [{features}]"))
        .collect();
    assert!(compiled_twice.is_empty(), "{}", compiled_twice.join("\n"));
}

#[test]
fn the_containers_program_takes_no_kafka_client() {
    let program = features("rig-containers", "normal,build");
    assert!(program.keys().any(|package| package.starts_with("testcontainers ")), "{program:?}");
    let client = program.keys().find(|package| package.starts_with("rdkafka"));
    assert_eq!(client, None, "it would be compiled once more, with other features of tokio");
}
