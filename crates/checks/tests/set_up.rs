//! `scripts/setup.sh` in folders that a clone may lie in.

use std::path::Path;
use std::process::Command;

/// What `setup.sh --check` says on a copy of the scripts in a folder of this name.
fn check_in(name: &str) -> String {
    let temp = tempfile::tempdir().unwrap();
    let clone = temp.path().join(name);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::create_dir_all(clone.join("scripts")).unwrap();
    for file in ["scripts/setup.sh", "versions.env", "rust-toolchain.toml"] {
        std::fs::copy(root.join(file), clone.join(file)).unwrap();
    }
    let output = Command::new(clone.join("scripts/setup.sh"))
        .arg("--check")
        .env_remove("CARGO_TARGET_DIR")
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
