//! A Kafka that asks who one is: who may not come in, or not do what the labs do, reads a sentence.

use crate::common::OwnRig;
use crate::common::secured::Secured;

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

#[test]
fn a_broker_that_goes_away_is_a_sentence_and_when_it_comes_back_nothing_is_left_of_it() {
    let (servers, mut rig) = super::external::two_rigs("external-away");
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
