//! What can be wrong with a broker's certificate and with a log-in by TLS. Needs OpenSSL, so it is no part
//! of a bare `cargo test`: `cargo test -p rig-program --features tls --test tls`, which
//! `make secured TLS=1` calls.

mod common;

use common::OwnRig;
use common::secured::Secured;

/// How many rigs may have servers at once.
const RIGS_AT_ONCE: usize = 1;

/// Fails with one sentence that says this, and not the password.
#[track_caller]
fn says(kafka: &Secured, rig: &OwnRig, words: &str) {
    let sentence = rig.fails(&["up"]);
    println!("{sentence}");
    assert!(sentence.contains(words), "expected `{words}`, found: {sentence}");
    let password = std::fs::read_to_string(kafka.file("passwords/amelia")).expect("it is there");
    assert!(!sentence.contains(&password), "the password is shown");
}

#[test]
fn a_mechanism_that_the_broker_does_not_offer_is_named_with_those_that_it_does() {
    let servers = OwnRig::new("tls");
    servers.succeeds(&["up"]);
    // The user's own mechanism is SCRAM-SHA-512.
    let kafka = Secured::up(&servers, &[("MECHANISMS", "PLAIN,SCRAM-SHA-256")]);
    let mut rig = kafka.rig(&servers, "amelia", "tls");
    says(&kafka, &rig, " does not offer this KAFKA_SASL_MECHANISM: ");
    rig.set("KAFKA_SASL_MECHANISM", "SCRAM-SHA-256");
    assert!(rig.succeeds(&["up"]).contains("both answer"));
}

#[test]
fn a_port_of_another_protocol_is_asked_about() {
    let servers = OwnRig::new("tls_or_not");
    servers.succeeds(&["up"]);
    let kafka = Secured::up(&servers, &[]);
    let mut rig = kafka.rig(&servers, "amelia", "tls");
    rig.set("KAFKA_BOOTSTRAP_SERVERS", kafka.address("scram"));
    says(&kafka, &rig, "does it speak TLS at this port? KAFKA_SECURITY_PROTOCOL is SASL_SSL");
    let mut rig = kafka.rig(&servers, "amelia", "scram");
    rig.set("KAFKA_BOOTSTRAP_SERVERS", kafka.address("tls"));
    let words = "does it ask for TLS at this port? KAFKA_SECURITY_PROTOCOL is SASL_PLAINTEXT";
    says(&kafka, &rig, words);
}

#[test]
fn of_a_certificate_it_is_said_what_was_expected_what_it_is_and_what_helps() {
    let servers = OwnRig::new("certificates");
    servers.succeeds(&["up"]);
    let kafka = Secured::up(&servers, &[]);
    let rig = kafka.rig(&servers, "amelia", "tls");
    assert!(rig.succeeds(&["up"]).contains("both answer"));

    is_vouched_for_by_nobody_known(&kafka, &servers);
    is_for_another_host(&kafka, &servers);
    kafka.start_with_certificate("2020/01/01 00:00:00", "1");
    let of_2020 = "found `CN=broker`, valid from Jan  1 00:00:00 2020 GMT until Jan  2 00:00:00 2020 GMT; \
                   set the clock";
    says(&kafka, &rig, of_2020);
    kafka.start_with_certificate("2100/01/01 00:00:00", "1");
    says(&kafka, &rig, &of_2020.replace(" 2020 ", " 2100 "));
}

/// No file is named, and the wrong one: the broker's certificate is no authority's.
fn is_vouched_for_by_nobody_known(kafka: &Secured, servers: &OwnRig) {
    let found = "vouches for, found `CN=broker`, which `CN=tidemark-ca` vouches for; set \
                 KAFKA_SSL_CA_LOCATION to a file with the certificate of `CN=tidemark-ca`";
    // Its settings name no file.
    let mut rig = kafka.rig(servers, "amelia", "scram");
    rig.set("KAFKA_SECURITY_PROTOCOL", "SASL_SSL");
    rig.set("KAFKA_BOOTSTRAP_SERVERS", kafka.address("tls"));
    says(kafka, &rig, &format!("expected a certificate that this system {found}"));

    let file = kafka.file("broker.pem").display().to_string();
    rig.set("KAFKA_SSL_CA_LOCATION", &file);
    says(kafka, &rig, &format!("expected a certificate that {file} {found}"));
}

fn is_for_another_host(kafka: &Secured, servers: &OwnRig) {
    let mut rig = kafka.rig(servers, "amelia", "tls");
    rig.set("KAFKA_BOOTSTRAP_SERVERS", kafka.address("tls").replace("127.0.0.1", "localhost"));
    let words = "expected a certificate for localhost, found `CN=broker`, which is for 127.0.0.1; set \
                 KAFKA_BOOTSTRAP_SERVERS to a name that it is for";
    says(kafka, &rig, words);
}
