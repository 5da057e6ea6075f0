//! Lab 04, watermarks.
//!
//! The lab and its solution run these very files. A module a step: `cargo test -p lab04 step1`.
//! Only step 7 speaks to a real Kafka.

mod at_hand;
mod given;
mod step1_watermark;
mod step2_lateness;
mod step3_guard;
mod step4_partitions;
mod step5_idle;
mod step6_skew;
mod step7_reader;
mod step8_curve;

testkit::lab! {
    chapter: "book/src/04-watermarks.md",
    steps: [
        "watermark.rs": "a watermark that stays behind",
        "lateness.rs": "late, or on time",
        "guard.rs": "a guard against times from the future",
        "partitions.rs": "a watermark a partition, combined",
        "idle.rs": "idle partitions, and waking up",
        "skew.rs": "partitions read at different speeds",
        "reader.rs": "a reader of a real topic",
        "curve.rs": "completeness against latency",
    ],
}
