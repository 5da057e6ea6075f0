//! Lab 01, topics and events.
//!
//! | step | module | you write | command |
//! |---|---|---|---|
//! | 1 | [`event`] | a flight as strict JSON | `cargo test -p lab01 step1` |
//! | 2 | [`record`] | key, timestamp, headers | `cargo test -p lab01 step2` |
//! | 3 | [`topic`] | create and describe a topic | `cargo test -p lab01 step3` |
//! | 4 | [`publish`] | publish, and know where each record is | `cargo test -p lab01 step4` |
//! | 5 | [`layout`] | partitions and order | `cargo test -p lab01 step5` |
//!
//! [`readback`] is given: a plain consumer that shows what a topic holds.
//!
//! The chapter is `book/src/01-topics-and-events.md`.

pub mod event;
pub mod layout;
pub mod publish;
pub mod readback;
pub mod record;
pub mod topic;
