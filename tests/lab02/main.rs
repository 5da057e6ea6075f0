//! Lab 02, producers and consumers.
//!
//! The lab and its solution run these very files. A module a step: `cargo test -p lab02 step1`.
//! Step 1 needs nothing but the code; the others speak to a real Kafka, step 6 to PostgreSQL too.

mod at_hand;
mod given;
mod step1_batch;
mod step2_producer;
mod step3_in_flight;
mod step4_dead_letters;
mod step5_group;
mod step6_job;

testkit::lab! {
    chapter: "book/src/02-producers-and-consumers.md",
    steps: [
        "batch.rs": "a batch that is full, due or last",
        "producer.rs": "a producer that loses nothing",
        "in_flight.rs": "a bounded number in flight",
        "dead_letters.rs": "a loop that no record can end",
        "group.rs": "who owns which partition",
        "job.rs": "from the topic into PostgreSQL",
    ],
}
