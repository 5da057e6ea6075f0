//! Lab 05, tumbling aggregation.
//!
//! | step | module | you write | command |
//! |---|---|---|---|
//! | 1 | [`window`] | the window that an instant lies in | `cargo test -p lab05 step1` |
//! | 2 | [`delays`] | figures that can be merged | `cargo test -p lab05 step2` |
//! | 3 | [`firing`] | windows that fire on the watermark | `cargo test -p lab05 step3` |
//! | 4 | [`dropped`] | records that come too late | `cargo test -p lab05 step4` |
//! | 5 | [`corrections`] | allowed lateness, and state that goes | `cargo test -p lab05 step5` |
//! | 6 | [`board`] | guard, watermark and windows as one | `cargo test -p lab05 step6` |
//! | 7 | [`tables`] | results and dropped records in PostgreSQL | `cargo test -p lab05 step7` |
//! | 8 | [`job`] | from a topic into the tables | `cargo test -p lab05 step8` |
//!
//! Given are [`input`], the topic and its ends, and [`run_topic`], the topic of a run.
//!
//! The chapter is `book/src/05-tumbling-aggregation.md`.

pub mod board;
pub mod corrections;
pub mod delays;
pub mod dropped;
pub mod firing;
pub mod input;
pub mod job;
pub mod run_topic;
pub mod tables;
pub mod window;
