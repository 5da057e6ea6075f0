//! A Kafka that asks who one is: who may not come in, or not do what the labs do, reads a sentence.
//!
//! A program of its own, since such a Kafka is slow to start and would make the others slow.

mod common;

use common::secured::Secured;
use common::{OwnRig, check_cluster};

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
    // Her rights are to `amelia.`, with the point: names that begin with `amelia` are others' as well.
    for prefix in ["bessie.", "amelia2.", "amelia-b."] {
        of_another.set("TIDEMARK_PREFIX", prefix);
        let sentence = of_another.fails(&["up"]);
        let expected = format!(
            " does not let you make topics whose names begin with `{prefix}`, your TIDEMARK_PREFIX"
        );
        assert!(sentence.contains(&expected), "{sentence}");
    }
    // These would begin the names of another learner, or have her schemas.
    for prefix in ["amelia", "amelia-", "amelia.b.", "Amelia."] {
        of_another.set("TIDEMARK_PREFIX", prefix);
        let sentence = of_another.fails(&["up"]);
        let expected = format!("TIDEMARK_PREFIX is `{prefix}`, expected small letters, digits");
        assert!(sentence.starts_with(&expected), "{sentence}");
    }

    let sentence = kafka.rig(&servers, "carol", "plain").fails(&["up"]);
    assert!(
        sentence.contains(" does not let you make topics whose names begin with"),
        "{sentence}"
    );

    let admin = kafka.rig(&servers, "admin", "plain");
    let user = ["--alter", "--entity-type", "users", "--entity-name", "amelia"];
    let quota = ["--add-config", "producer_byte_rate=10000"];
    admin.succeeds(&[&["tool", "kafka-configs"], &user[..], &quota[..]].concat());
    let told = check_cluster(&amelia);
    let why = "a quota is reached: after 900 kB the broker holds you back for ";
    assert!(told.contains(&format!("\nMISSING   pace of writing      {why}")), "{told}");
    // Where the quota spoils the transaction after it, that says so, and does not just time out.
    let spoilt = told.lines().find(|line| line.starts_with("MISSING   transactions"));
    assert!(spoilt.is_none_or(|line| line.contains("a quota is reached")), "{told}");
}
