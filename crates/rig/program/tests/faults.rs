//! What can be missing or in the way: one sentence with its fix, and a failure.

mod common;

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use common::OwnRig;

/// A folder to stand for the PATH, with these programs in it: each either the machine's own or a
/// script.
fn path_with(test: &str, own: &[&str], scripts: &[(&str, &str)]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    for name in own {
        let path = std::env::var_os("PATH").unwrap();
        let found = std::env::split_paths(&path).map(|f| f.join(name)).find(|f| f.exists());
        std::os::unix::fs::symlink(found.unwrap(), folder.join(name)).unwrap();
    }
    for (name, script) in scripts {
        let file = folder.join(name);
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }
    folder
}

fn rig_with_path(test: &str, own: &[&str], scripts: &[(&str, &str)]) -> OwnRig {
    let mut rig = OwnRig::new(test);
    rig.set("PATH", path_with(test, own, scripts).display().to_string());
    rig.set("JAVA_HOME", "");
    rig
}

#[test]
fn without_java_the_sentence_says_how_to_get_it() {
    let mut rig = OwnRig::new("no-java");
    rig.set("JAVA_HOME", "/nowhere");
    let sentence = rig.fails(&["up"]);
    assert!(sentence.starts_with("no Java found, and Kafka needs Java 17 or newer"), "{sentence}");
    assert!(sentence.contains("sudo apt install openjdk-17-jre-headless"), "{sentence}");
}

#[test]
fn a_java_that_is_too_old_is_named_with_its_version() {
    let old = "echo 'openjdk version \"11.0.2\" 2019-01-15' >&2";
    let home = path_with("old-java", &[], &[]);
    path_with("old-java/bin", &[], &[("java", old)]);
    let mut rig = OwnRig::new("old-java");
    rig.set("JAVA_HOME", home.display().to_string());
    let sentence = rig.fails(&["up"]);
    assert!(sentence.contains("is Java 11, and Kafka"), "{sentence}");
    assert!(sentence.contains("needs Java 17 or newer"), "{sentence}");
}

#[test]
fn without_maven_the_sentence_names_it_and_the_way_around_it() {
    let mut rig = rig_with_path("no-maven", &["java"], &[]);
    rig.unset("JAVA_HOME");
    rig.unset("KAFKA_HOME");
    let sentence = rig.fails(&["up"]);
    assert!(sentence.starts_with("no Maven found"), "{sentence}");
    assert!(sentence.contains("sudo apt install maven"), "{sentence}");
    assert!(sentence.contains("KAFKA_HOME"), "{sentence}");
}

#[test]
fn a_maven_that_fails_is_quoted_and_leaves_nothing_half_written() {
    let fails =
        "echo '[ERROR] Could not transfer artifact org.apache.kafka:kafka_2.13 -> [1]'; exit 1";
    let mut rig = rig_with_path("bad-maven", &["java"], &[("mvn", fails)]);
    rig.unset("JAVA_HOME");
    rig.unset("KAFKA_HOME");
    let sentence = rig.fails(&["up"]);
    assert!(sentence.contains("Could not transfer artifact"), "{sentence}");
    let left = fs::read_dir(rig.folder()).unwrap().flatten();
    let jars = left.filter(|e| e.file_name().to_string_lossy() == "kafka-jars-4.3.1").count();
    assert_eq!(jars, 0, "a folder of jars that is not whole");
}

#[test]
fn a_folder_without_jars_is_no_kafka() {
    let mut rig = OwnRig::new("no-jars");
    rig.set("KAFKA_HOME", "/usr");
    assert_eq!(rig.fails(&["up"]), "KAFKA_HOME has no jars in /usr/libs\n");
}

#[test]
fn a_port_that_is_taken_is_named_with_its_variable() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    for variable in ["TIDEMARK_KAFKA_PORT", "TIDEMARK_POSTGRES_PORT"] {
        let mut rig = OwnRig::new("port");
        rig.set(variable, port.to_string());
        let sentence = rig.fails(&["up"]);
        assert!(sentence.contains(&format!("port {port} cannot be used")), "{sentence}");
        assert!(sentence.contains(&format!("set {variable} to another")), "{sentence}");
    }
}

#[test]
fn what_is_no_port_is_refused() {
    let mut rig = OwnRig::new("no-port");
    rig.set("TIDEMARK_KAFKA_PORT", "80k");
    let sentence = rig.fails(&["up"]);
    assert!(sentence.contains("TIDEMARK_KAFKA_PORT is `80k`, expected a port"), "{sentence}");
}

#[test]
fn a_folder_with_a_space_or_an_umlaut_is_refused() {
    for folder in ["/var/tmp/tide mark", "/var/tmp/tidemark-ü"] {
        let mut rig = OwnRig::new("space");
        rig.set("TIDEMARK_RIG_DIR", folder);
        let sentence = rig.fails(&["up"]);
        assert!(sentence.contains("set TIDEMARK_RIG_DIR to a path of letters"), "{sentence}");
        assert!(!Path::new(folder).exists(), "{folder} was made");
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let mut rig = OwnRig::new("no-folder");
    rig.set("TIDEMARK_RIG_DIR", "/proc/tidemark");
    let sentence = rig.fails(&["up"]);
    assert!(sentence.starts_with("cannot make the folder /proc/tidemark: "), "{sentence}");
}

#[test]
fn an_unknown_provider_is_refused_with_those_there_are() {
    let mut rig = OwnRig::new("unknown");
    rig.set("TIDEMARK_RIG", "cloud");
    assert_eq!(
        rig.fails(&["up"]),
        "TIDEMARK_RIG is `cloud`, expected external, containers or local\n"
    );
}

#[test]
fn a_docker_engine_that_does_not_answer_is_passed_over_with_a_word() {
    let mut rig = OwnRig::new("dead-docker");
    rig.set("TIDEMARK_RIG", "");
    rig.set("DOCKER_HOST", "unix:///var/tmp/no-such-docker.sock");
    let said = rig.succeeds(&["up"]);
    assert!(said.contains("rig: no Docker engine answers; taking Kafka"), "{said}");
    assert!(said.lines().count() <= 3, "more than three lines: {said}");
}

#[test]
fn forced_containers_without_an_engine_are_a_failure() {
    let mut rig = OwnRig::new("forced");
    rig.set("TIDEMARK_RIG", "containers");
    rig.set("DOCKER_HOST", "unix:///var/tmp/no-such-docker.sock");
    assert_eq!(rig.fails(&["up"]), "no Docker engine answers; start Docker\n");
}

#[test]
fn a_named_folder_without_a_server_is_refused() {
    let mut rig = OwnRig::new("no-server");
    rig.set("TIDEMARK_POSTGRES_BIN", "/usr/share");
    let sentence = rig.fails(&["up"]);
    assert!(
        sentence.starts_with("TIDEMARK_POSTGRES_BIN is /usr/share, which has no"),
        "{sentence}"
    );
}
