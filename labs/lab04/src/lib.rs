//! Lab 04, watermarks.
//!
//! | step | module | you write | command |
//! |---|---|---|---|
//! | 1 | [`watermark`] | bounded out-of-orderness, never going back | `cargo test -p lab04 step1` |
//! | 2 | [`lateness`] | late, or on time | `cargo test -p lab04 step2` |
//! | 3 | [`guard`] | a guard against times from the future | `cargo test -p lab04 step3` |
//! | 4 | [`partitions`] | a watermark a partition, combined | `cargo test -p lab04 step4` |
//! | 5 | [`idle`] | idle partitions, and waking up | `cargo test -p lab04 step5` |
//! | 6 | [`skew`] | partitions read at different speeds | `cargo test -p lab04 step6` |
//! | 7 | [`reader`] | a reader of a real topic | `cargo test -p lab04 step7` |
//! | 8 | [`curve`] | completeness against latency | `cargo test -p lab04 step8` |
//!
//! Given are [`span`], a helper; [`processing_time`], the board that the chapter begins with; and
//! [`chart`], which draws the curve of step 8.
//!
//! The chapter is `book/src/04-watermarks.md`.

pub mod chart;
pub mod curve;
pub mod guard;
pub mod idle;
pub mod lateness;
pub mod partitions;
pub mod processing_time;
pub mod reader;
pub mod skew;
pub mod span;
pub mod watermark;
