//! Servers that the environment names: the commands speak to them, and never end them.

use std::net::TcpListener;

use crate::common::OwnRig;

/// A rig that is up, and beside it one whose environment names its servers.
pub fn two_rigs(test: &str) -> (OwnRig, OwnRig) {
    let servers = OwnRig::new(test);
    servers.succeeds(&["up"]);
    let mut rig = servers.beside(&format!("{test}-external"));
    rig.set("TIDEMARK_RIG", "");
    rig.set("KAFKA_BOOTSTRAP_SERVERS", servers.cluster().bootstrap());
    rig.set("DATABASE_URL", servers.cluster().database_url);
    (servers, rig)
}

#[test]
fn up_and_status_say_where_they_are_and_start_nothing() {
    let (servers, rig) = two_rigs("external-up");
    let said = rig.succeeds(&["up"]);
    assert!(said.contains("both answer") && said.contains("make check-cluster"), "{said}");
    for command in ["up", "status"] {
        let said = rig.succeeds(&[command]);
        assert!(said.contains(servers.cluster().bootstrap()), "{said}");
        assert!(said.contains("(external: named by the environment)"), "{said}");
    }
    assert!(rig.processes().is_empty(), "{:?}", rig.processes());
}

#[test]
fn up_fails_where_kafka_does_not_answer() {
    // Bound and closed again: nobody listens there.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut rig = OwnRig::that_stays_down("external-no-kafka");
    rig.set("TIDEMARK_RIG", "");
    rig.set("TIDEMARK_WAIT_SECONDS", "1");
    rig.set("KAFKA_BOOTSTRAP_SERVERS", closed.to_string());
    rig.set("DATABASE_URL", format!("postgresql://me:secret@{closed}/postgres"));
    let sentence = rig.fails(&["up"]);
    let expected = format!("Kafka at {closed} did not answer within 1 s; start it, or set");
    assert!(sentence.starts_with(&expected), "{sentence}");
}

#[test]
fn a_file_names_the_servers_as_the_environment_does() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut rig = OwnRig::that_stays_down("external-file");
    let file = tempfile::NamedTempFile::new().unwrap();
    let lines = format!(
        "KAFKA_BOOTSTRAP_SERVERS={closed}\nDATABASE_URL=postgresql://me:secret@{closed}/postgres\n"
    );
    std::fs::write(file.path(), &lines).unwrap();
    rig.set("TIDEMARK_RIG", "");
    rig.set("TIDEMARK_WAIT_SECONDS", "1");
    rig.set("TIDEMARK_ENV_FILE", file.path().display().to_string());
    let sentence = rig.fails(&["up"]);
    assert!(sentence.starts_with(&format!("Kafka at {closed} did not answer")), "{sentence}");

    rig.set("KAFKA_BOOTSTRAP_SERVERS", "of-the-environment:1");
    let sentence = rig.fails(&["up"]);
    assert!(sentence.starts_with("Kafka at of-the-environment:1 has no address"), "{sentence}");

    std::fs::write(file.path(), lines + "KAFKA_SASL_PASSWORT=secret\n").unwrap();
    let sentence = rig.fails(&["up"]);
    assert!(sentence.contains("KAFKA_SASL_PASSWORT cannot stand in this file"), "{sentence}");
    assert!(!sentence.contains("secret"), "the password is shown: {sentence}");
}

#[test]
fn up_fails_where_postgresql_does_not_answer_and_keeps_the_password() {
    let (servers, mut rig) = two_rigs("external-no-database");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    rig.set("DATABASE_URL", format!("postgresql://me:secret@{closed}/postgres"));
    let sentence = rig.fails(&["up"]);
    let expected = format!("PostgreSQL at {closed} did not answer; start it, or set");
    assert!(sentence.starts_with(&expected), "{sentence}");
    assert!(!sentence.contains("secret"), "the password is shown: {sentence}");
    assert!(servers.cluster().answers());
}

#[test]
fn the_tools_and_psql_speak_to_them() {
    let (servers, rig) = two_rigs("external-tools");
    rig.succeeds(&["tool", "kafka-topics", "--create", "--topic", "from-outside"]);
    rig.succeeds(&["psql", "-c", "CREATE DATABASE from_outside"]);
    assert!(servers.succeeds(&["tool", "kafka-topics", "--list"]).contains("from-outside"));
    let databases = servers.succeeds(&["psql", "-Atc", "SELECT datname FROM pg_database"]);
    assert!(databases.contains("from_outside"), "{databases}");
}

#[test]
fn stop_and_down_leave_them_and_say_so() {
    let (servers, rig) = two_rigs("external-down");
    let cluster = servers.cluster();
    for command in ["stop", "down"] {
        let said = rig.succeeds(&[command]);
        let left = format!(
            "rig: Kafka at {} and PostgreSQL at {} were not started by the rig; they are left as they are",
            cluster.bootstrap(),
            cluster.database_address()
        );
        assert_eq!(said.lines().next(), Some(left.as_str()));
        assert!(!said.contains(&cluster.database_url), "the password is shown: {said}");
        assert!(cluster.answers(), "`{command}` has ended servers that it did not start");
    }
}

#[test]
fn down_ends_what_the_rig_itself_has_started_before() {
    let (servers, mut rig) = two_rigs("external-before");
    rig.set("TIDEMARK_RIG", "local");
    rig.succeeds(&["up"]);
    rig.set("TIDEMARK_RIG", "");
    let said = rig.succeeds(&["down"]);
    assert!(said.contains("were not started by the rig"), "{said}");
    assert!(said.contains("have ended; nothing of them is left"), "{said}");
    rig.leaves_nothing();
    assert!(servers.cluster().answers());
}

#[test]
fn a_replication_factor_that_kafka_cannot_have_is_refused_with_the_variables_name() {
    let (_servers, mut rig) = two_rigs("external-replication");
    rig.set("TIDEMARK_REPLICATION", "many");
    let sentence = rig.fails(&["up"]);
    let expected = "TIDEMARK_REPLICATION is `many`, expected a replication factor, 1 or more";
    assert!(sentence.starts_with(expected), "{sentence}");
    rig.set("TIDEMARK_REPLICATION", "3");
    let sentence = rig.fails(&["up"]);
    let expected = "does not take topics with replication.factor 3, your TIDEMARK_REPLICATION \
                    (InvalidReplicationFactor";
    assert!(sentence.contains(expected), "{sentence}");
    rig.set("TIDEMARK_REPLICATION", "1");
    rig.succeeds(&["up"]);
}

#[test]
fn a_minimum_of_replicas_in_sync_that_topics_cannot_reach_is_refused_with_its_name() {
    let (_servers, rig) = two_rigs("external-in-sync");
    let everywhere = ["--alter", "--entity-type", "brokers", "--entity-default", "--add-config"];
    let configure = [&["tool", "kafka-configs"][..], &everywhere, &["min.insync.replicas=4"]];
    rig.succeeds(&configure.concat());
    let sentence = rig.fails(&["up"]);
    let expected = "has min.insync.replicas=4, and topics with replication.factor 3 could never";
    assert!(sentence.contains(expected), "{sentence}");
}

#[test]
fn a_broker_that_goes_away_is_a_sentence_and_when_it_comes_back_nothing_is_left_of_it() {
    let (servers, mut rig) = two_rigs("external-away");
    rig.set("TIDEMARK_WAIT_SECONDS", "2");
    let broker = servers.process("kafka.Kafka");
    servers.freeze(broker);
    let sentence = rig.fails(&["up"]);
    servers.thaw(broker);
    let address = servers.cluster().bootstrap().to_owned();
    let expected = format!("Kafka at {address} did not answer within 2 s; start it, or set");
    assert!(sentence.starts_with(&expected), "{sentence}");
    rig.unset("TIDEMARK_WAIT_SECONDS");
    assert!(rig.succeeds(&["up"]).contains("both answer"));
}
