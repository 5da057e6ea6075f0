//! What can be missing or in the way: one sentence with its fix, and a failure.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use crate::common::{OwnRig, on_path, pinned, script, test_folder};

/// A folder to stand for the PATH, with these programs of the machine's own in it.
fn path_with(test: &str, own: &[&str]) -> PathBuf {
    let folder = test_folder(test);
    for name in own {
        std::os::unix::fs::symlink(on_path(name), folder.join(name)).unwrap();
    }
    folder
}

#[test]
fn a_java_home_without_java_is_named() {
    let mut rig = OwnRig::that_stays_down("no-java");
    rig.set("JAVA_HOME", "/nowhere");
    let sentence = rig.fails(&["up"]);
    assert_eq!(
        sentence,
        "JAVA_HOME is /nowhere, and no Java is there; unset it, or set it to a Java 17 or newer\n"
    );
}

#[test]
fn a_java_that_is_too_old_is_named_with_its_version() {
    let home = test_folder("old-java");
    script(&home.join("bin"), "java", "echo 'openjdk version \"11.0.2\" 2019-01-15' >&2");
    let mut rig = OwnRig::that_stays_down("old-java");
    rig.set("JAVA_HOME", home.display().to_string());
    let sentence = rig.fails(&["up"]);
    assert!(sentence.contains("is Java 11, and Kafka"), "{sentence}");
    assert!(sentence.contains("needs Java 17 or newer"), "{sentence}");
}

#[test]
fn without_maven_the_sentence_names_it_and_the_way_around_it() {
    let mut rig = OwnRig::that_stays_down("no-maven");
    rig.set("PATH", path_with("no-maven", &["java"]).display().to_string());
    rig.unset("KAFKA_HOME");
    let sentence = rig.fails(&["up"]);
    assert!(sentence.starts_with("no Maven found"), "{sentence}");
    assert!(sentence.contains("sudo apt install maven"), "{sentence}");
    assert!(sentence.contains("KAFKA_HOME"), "{sentence}");
}

#[test]
fn a_maven_that_fails_is_quoted_and_leaves_nothing_half_written() {
    let path = path_with("bad-maven", &["java"]);
    let fails =
        "echo '[ERROR] Could not transfer artifact org.apache.kafka:kafka_2.13 -> [1]'; exit 1";
    script(&path, "mvn", fails);
    let mut rig = OwnRig::that_stays_down("bad-maven");
    rig.set("PATH", path.display().to_string());
    rig.unset("KAFKA_HOME");
    let sentence = rig.fails(&["up"]);
    assert!(sentence.contains("Could not transfer artifact"), "{sentence}");
    let jars = rig.folder().join(format!("kafka-jars-{}", pinned("KAFKA_VERSION")));
    assert!(rig.folder().exists() && !jars.exists(), "a folder of jars that is not whole");
}

#[test]
fn a_folder_without_jars_is_no_kafka() {
    let mut rig = OwnRig::that_stays_down("no-jars");
    rig.set("KAFKA_HOME", "/usr");
    let sentence = rig.fails(&["up"]);
    assert!(sentence.starts_with("KAFKA_HOME is /usr, and no Kafka is there"), "{sentence}");
    assert!(sentence.contains("set it to the folder of an unpacked Kafka"), "{sentence}");
}

#[test]
fn a_kafka_that_is_too_old_is_named_with_its_version() {
    let home = test_folder("old-kafka");
    fs::create_dir_all(home.join("libs")).unwrap();
    fs::write(home.join("libs/kafka-clients-3.9.1.jar"), "").unwrap();
    let mut rig = OwnRig::that_stays_down("old-kafka");
    rig.set("KAFKA_HOME", home.display().to_string());
    let sentence = rig.fails(&["up"]);
    let expected = "KAFKA_HOME is Kafka 3.9.1, and the rig needs Kafka 4.0 or newer";
    assert!(sentence.starts_with(expected), "{sentence}");
}

#[test]
fn a_time_that_is_no_number_is_refused() {
    for (variable, value) in [
        ("TIDEMARK_IDLE_SECONDS", "abc"),
        ("TIDEMARK_IDLE_SECONDS", "0"),
        ("TIDEMARK_WAIT_SECONDS", "1m"),
    ] {
        let mut rig = OwnRig::that_stays_down("no-number");
        rig.set(variable, value);
        let expected =
            format!("{variable} is `{value}`, expected a whole number of seconds, 1 or more\n");
        assert_eq!(rig.fails(&["up"]), expected);
    }
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    let mut rig = OwnRig::that_stays_down("empty");
    for name in ["TIDEMARK_POSTGRES_BIN", "TIDEMARK_IDLE_SECONDS", "TIDEMARK_KAFKA_PORT"] {
        rig.set(name, "");
    }
    assert!(rig.succeeds(&["fetch"]).ends_with("and PostgreSQL are there\n"));
}

#[test]
fn a_port_that_is_taken_is_named_with_its_variable() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    for variable in ["TIDEMARK_KAFKA_PORT", "TIDEMARK_POSTGRES_PORT"] {
        let mut rig = OwnRig::that_stays_down("port");
        rig.set(variable, port.to_string());
        let sentence = rig.fails(&["up"]);
        assert!(sentence.contains(&format!("port {port} cannot be used")), "{sentence}");
        assert!(sentence.contains(&format!("set {variable} to another")), "{sentence}");
    }
}

#[test]
fn what_is_no_port_is_refused() {
    let mut rig = OwnRig::that_stays_down("no-port");
    rig.set("TIDEMARK_KAFKA_PORT", "80k");
    let sentence = rig.fails(&["up"]);
    assert!(sentence.contains("TIDEMARK_KAFKA_PORT is `80k`, expected a port"), "{sentence}");
}

#[test]
fn a_folder_with_a_space_or_an_umlaut_is_refused() {
    for folder in ["/var/tmp/tide mark", "/var/tmp/tidemark-ü"] {
        let mut rig = OwnRig::that_stays_down("space");
        rig.set("TIDEMARK_RIG_DIR", folder);
        let sentence = rig.fails(&["up"]);
        assert!(sentence.contains("set TIDEMARK_RIG_DIR to a path of letters"), "{sentence}");
        assert!(!Path::new(folder).exists(), "{folder} was made");
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let mut rig = OwnRig::that_stays_down("no-folder");
    rig.set("TIDEMARK_RIG_DIR", "/proc/tidemark");
    let sentence = rig.fails(&["up"]);
    assert!(sentence.starts_with("cannot make the folder /proc/tidemark: "), "{sentence}");
}

#[test]
fn an_unknown_provider_is_refused_with_those_there_are() {
    let mut rig = OwnRig::that_stays_down("unknown");
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
    let mut rig = OwnRig::that_stays_down("forced");
    rig.set("TIDEMARK_RIG", "containers");
    rig.set("DOCKER_HOST", "unix:///var/tmp/no-such-docker.sock");
    assert_eq!(rig.fails(&["up"]), "no Docker engine answers; start Docker\n");
}

#[test]
fn a_named_folder_without_a_server_is_refused() {
    let mut rig = OwnRig::that_stays_down("no-server");
    rig.set("TIDEMARK_POSTGRES_BIN", "/usr/share");
    let sentence = rig.fails(&["up"]);
    assert!(
        sentence.starts_with("TIDEMARK_POSTGRES_BIN is /usr/share, which has no"),
        "{sentence}"
    );
}
