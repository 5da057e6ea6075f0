//! Lab 01, topics and events.
//!
//! The lab and its solution run these very files. A module a step: `cargo test -p lab01 step1`.
//! Steps 1, 2 and 5 need nothing but the code; steps 3 and 4 speak to a real Kafka.

mod clients;
mod flights_at_hand;
mod given;
mod step1_event;
mod step2_record;
mod step3_topic;
mod step4_publish;
mod step5_layout;

testkit::lab! {
    chapter: "book/src/01-topics-and-events.md",
    steps: [
        "event.rs": "a flight as strict JSON",
        "record.rs": "key, timestamp, headers",
        "topic.rs": "create, describe a topic",
        "publish.rs": "publish the flights",
        "layout.rs": "partitions and order",
    ],
}
