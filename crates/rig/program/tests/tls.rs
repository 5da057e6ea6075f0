//! What can be wrong with a log-in by TLS. Needs OpenSSL, so it is no part
//! of a bare `cargo test`: `cargo test -p rig-program --features tls --test tls`, which
//! `make secured TLS=1` calls.

mod common;

use common::OwnRig;
use common::secured::Secured;

/// How many rigs may have servers at once.
const RIGS_AT_ONCE: usize = 1;

/// One sentence that says this.
#[track_caller]
fn says(rig: &OwnRig, words: &str) {
    let sentence = rig.fails(&["up"]);
    println!("{sentence}");
    assert!(sentence.contains(words), "{sentence}");
}

#[test]
fn a_mechanism_that_the_broker_does_not_offer_is_named_with_those_that_it_does() {
    let servers = OwnRig::new("tls");
    servers.succeeds(&["up"]);
    // The user's own mechanism is SCRAM-SHA-512.
    let kafka = Secured::up(&servers, &[("MECHANISMS", "PLAIN,SCRAM-SHA-256")]);
    let mut rig = kafka.rig(&servers, "amelia", "tls");
    says(&rig, " does not offer this KAFKA_SASL_MECHANISM: ");
    rig.set("KAFKA_SASL_MECHANISM", "SCRAM-SHA-256");
    assert!(rig.succeeds(&["up"]).contains("both answer"));
}
