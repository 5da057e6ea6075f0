//! Lab 03, offsets.
//!
//! The lab and its solution run these very files. A module a step: `cargo test -p lab03 step1`.
//! Steps 1 and 2 need nothing but the code; the others speak to a real Kafka or PostgreSQL.

mod at_hand;
mod given;
mod step1_progress;
mod step2_guarantee;
mod step3_start;
mod step4_sink;
mod step5_lag;
mod step6_reset;
mod step7_job;

testkit::lab! {
    chapter: "book/src/03-offsets.md",
    steps: [
        "progress.rs": "what may be committed",
        "guarantee.rs": "at most once, at least once",
        "start.rs": "where to begin",
        "sink.rs": "repeats do no harm",
        "lag.rs": "how far behind a group is",
        "reset.rs": "set a group anew",
        "job.rs": "from a topic to a table",
    ],
}
