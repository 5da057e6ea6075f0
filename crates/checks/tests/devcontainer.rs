//! `.devcontainer/`: it holds together without an engine that builds it.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn text(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn settings() -> Value {
    serde_json::from_str(&text(".devcontainer/devcontainer.json")).expect("plain JSON")
}

/// What follows this word in the Dockerfile, line by line.
fn lines_of(word: &str) -> Vec<String> {
    let dockerfile = text(".devcontainer/Dockerfile");
    let lines = dockerfile.lines().filter_map(|line| line.strip_prefix(word));
    lines.map(|rest| rest.trim().to_owned()).collect()
}

/// Each file that the image gets, and the folder that it is put into.
fn copied() -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for line in lines_of("COPY ") {
        let (files, folder) = line.rsplit_once(' ').expect("files and a folder");
        pairs.extend(files.split(' ').map(|file| (file.to_owned(), folder.to_owned())));
    }
    pairs
}

#[test]
fn every_file_that_it_names_is_there() {
    let build = &settings()["build"];
    let dockerfile = build["dockerfile"].as_str().unwrap();
    assert!(root().join(".devcontainer").join(dockerfile).is_file(), "no {dockerfile}");
    assert_eq!(build["context"], "..", "what is copied is named from the repository's root");
    let files = copied();
    assert!(!files.is_empty());
    for (file, _) in files {
        assert!(root().join(&file).is_file(), "the Dockerfile copies {file}, which is not there");
    }
}

#[test]
fn what_the_image_runs_was_copied_into_it_and_can_be_run() {
    let placed: BTreeSet<String> = copied()
        .into_iter()
        .map(|(file, folder)| folder + Path::new(&file).file_name().unwrap().to_str().unwrap())
        .collect();
    let runs = lines_of("RUN ");
    assert!(!runs.is_empty());
    for run in runs {
        let program = run.split(' ').next().unwrap();
        assert!(placed.contains(program), "{program} is not among {placed:?}");
        let file = program.trim_start_matches("/opt/tidemark/");
        let mode = fs::metadata(root().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o111, 0o111, "{file} can't be run");
    }
}

#[test]
fn the_set_up_in_the_image_misses_no_file() {
    let temp = tempfile::tempdir().unwrap();
    for (file, folder) in copied() {
        let folder = temp.path().join(folder.trim_start_matches("/opt/tidemark/"));
        fs::create_dir_all(&folder).unwrap();
        fs::copy(root().join(&file), folder.join(Path::new(&file).file_name().unwrap())).unwrap();
    }
    let output = Command::new("bash")
        .arg(temp.path().join("scripts/setup.sh"))
        .arg("--check")
        .env_remove("CARGO_TARGET_DIR")
        .output()
        .unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(said.starts_with("setup: "), "{said}");
    assert!(!said.contains("No such file"), "{said}");
}

#[test]
fn the_book_is_served_on_the_port_that_is_forwarded() {
    let settings = settings();
    let makefile = text("Makefile");
    let port = makefile.lines().find_map(|line| line.strip_prefix("PORT ?= ")).unwrap();
    assert_eq!(settings["forwardPorts"].to_string(), format!("[{port}]"));
    assert!(settings["portsAttributes"][port].is_object(), "no name for port {port}");
}

#[test]
fn no_version_is_named_a_second_time() {
    let versions = text("versions.env");
    let numbers = versions.lines().filter_map(|line| line.split_once('='));
    let numbers = numbers.filter(|(name, _)| name.ends_with("_VERSION")).map(|(_, number)| number);
    let rust = text("rust-toolchain.toml");
    let rust = rust.lines().find_map(|line| line.strip_prefix("channel = ")).unwrap();
    for number in numbers.chain([rust.trim_matches('"')]) {
        for file in ["devcontainer.json", "Dockerfile", "install.sh"] {
            let said = text(&format!(".devcontainer/{file}"));
            assert!(!said.contains(number), "{file} says {number}, which stands elsewhere");
        }
    }
}
