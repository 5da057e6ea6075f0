//! Lab 06, checkpoints.
//!
//! The lab and its solution run these very files. A module a step: `cargo test -p lab06 step1`.
//! Steps 6 and 7 go further; what comes before them needs neither. Steps 2, 3 and 6 speak to a real
//! PostgreSQL; step 3 to a real Kafka, and so do the jobs of steps 4 to 6.

mod at_hand;
mod at_hand_job;
mod given;
mod proxy;
mod step1_checkpoint;
mod step2_store;
mod step3_recovery;
mod step4_job;
mod step4_turn;
mod step5_job;
mod step5_savepoint;
mod step6_fencing;
mod step7_interval;

testkit::lab! {
    chapter: "book/src/06-checkpoints.md",
    steps: [
        "checkpoint.rs": "snapshot and restore, and their bytes",
        "store.rs": "one transaction",
        "recovery.rs": "where to go on, and when not to",
        "turn.rs": "a loop that survives a crash anywhere",
        "savepoint.rs": "another version, another machine",
        "fencing.rs": "further: an instance that only seemed dead",
        "interval.rs": "further: how often, and what it costs",
    ],
}
