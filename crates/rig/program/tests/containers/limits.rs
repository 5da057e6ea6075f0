//! Settings that are too small, taken or no numbers.

use std::net::TcpListener;
use std::time::Duration;

use crate::docker::{docker, id};
use crate::{ends_in_the_next_provider, fails_within, rig, up};

#[test]
fn a_memory_limit_that_is_too_small_is_named_as_the_cause() {
    let mut rig = rig("memory");
    rig.set("TIDEMARK_CONTAINER_MIB", "48");
    let why = "Kafka's container ran out of its 48 MiB of memory; set TIDEMARK_CONTAINER_MIB";
    ends_in_the_next_provider(Duration::from_secs(30), rig, why);
}

#[test]
fn a_container_that_was_found_again_gets_the_new_memory_limit() {
    let mut rig = rig("more-memory");
    up(&rig);
    let before = id(&rig, "kafka");
    rig.succeeds(&["stop"]);
    rig.set("TIDEMARK_CONTAINER_MIB", "1500");
    up(&rig);
    assert_eq!(id(&rig, "kafka"), before, "the container was replaced, and its data are lost");
    let limit = docker(&["inspect", "--format={{.HostConfig.Memory}}", &before]);
    assert_eq!(limit, (1500 * 1024 * 1024).to_string());
}

#[test]
fn a_limit_that_is_no_number_is_refused() {
    for (variable, expected) in [
        ("TIDEMARK_CONTAINER_MIB", "a whole number of MiB, 1 or more"),
        ("TIDEMARK_WAIT_SECONDS", "a whole number of seconds, 1 or more"),
    ] {
        let mut rig = rig("no-number");
        rig.set(variable, "much");
        let sentence = fails_within(Duration::from_secs(5), &rig);
        assert_eq!(sentence, format!("{variable} is `much`, expected {expected}\n"));
    }
}

#[test]
fn a_port_that_was_taken_meanwhile_is_given_up_and_the_loss_is_said() {
    let rig = rig("port");
    up(&rig);
    let cluster = rig.cluster();
    let (kafka, postgres) = (cluster.bootstrap().to_owned(), cluster.database_address().to_owned());
    let postgres_id = id(&rig, "postgres");
    rig.succeeds(&["stop"]);
    let _taken = TcpListener::bind(&kafka).unwrap();
    let said = up(&rig);
    assert!(
        said.contains("the earlier container of kafka has another image, port or password"),
        "{said}"
    );
    assert!(said.contains("what was in it is lost"), "{said}");
    assert_ne!(rig.cluster().bootstrap(), kafka);
    assert_eq!(rig.cluster().database_address(), postgres, "nobody took PostgreSQL's port");
    assert_eq!(id(&rig, "postgres"), postgres_id, "PostgreSQL's container has no need to go");
}

#[test]
fn a_named_port_that_is_taken_is_a_sentence() {
    let mut rig = rig("named-port");
    up(&rig);
    let kafka = rig.cluster().bootstrap().to_owned();
    let port = kafka.rsplit(':').next().unwrap().to_owned();
    rig.succeeds(&["stop"]);
    let _taken = TcpListener::bind(&kafka).unwrap();
    rig.set("TIDEMARK_KAFKA_PORT", &port);
    let sentence = fails_within(Duration::from_secs(5), &rig);
    assert!(sentence.starts_with(&format!("port {port} cannot be used")), "{sentence}");
    assert!(sentence.contains("set TIDEMARK_KAFKA_PORT to another"), "{sentence}");
}
