//! A Kafka that asks who one is: who may not come in, or not do what the labs do, reads a sentence.
//!
//! A program of its own, since such a Kafka is slow to start and would make the others slow.

mod common;

use common::OwnRig;
use common::secured::Secured;

/// How many rigs may have servers at once.
const RIGS_AT_ONCE: usize = 1;

const WRONG: &str = "a-secret-word";

#[test]
fn who_is_not_let_in_or_not_allowed_what_the_labs_do_reads_a_sentence() {
    let servers = OwnRig::new("secured");
    servers.succeeds(&["up"]);
    let kafka = Secured::up(&servers, &[]);
    let amelia = kafka.rig(&servers, "amelia", "plain");
    assert!(amelia.succeeds(&["up"]).contains("both answer"));

    let mut mistyped = kafka.rig(&servers, "amelia", "plain");
    mistyped.set("KAFKA_SASL_PASSWORD", WRONG);
    let sentence = mistyped.fails(&["up"]);
    assert!(sentence.contains(" refused to log you in; are KAFKA_SASL_USERNAME and"), "{sentence}");
    assert!(!sentence.contains(WRONG), "the password is shown: {sentence}");

    let mut of_another = kafka.rig(&servers, "amelia", "plain");
    of_another.set("TIDEMARK_PREFIX", "bessie.");
    let sentence = of_another.fails(&["up"]);
    let expected =
        " does not let you make topics whose names begin with `bessie.`, your TIDEMARK_PREFIX";
    assert!(sentence.contains(expected), "{sentence}");

    let sentence = kafka.rig(&servers, "carol", "plain").fails(&["up"]);
    assert!(
        sentence.contains(" does not let you make topics whose names begin with"),
        "{sentence}"
    );
}
