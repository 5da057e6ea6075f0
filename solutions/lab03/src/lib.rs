//! Lab 03, offsets.
//!
//! | step | module | you write | command |
//! |---|---|---|---|
//! | 1 | [`progress`] | what may be committed | `cargo test -p lab03 step1` |
//! | 2 | [`guarantee`] | at most once, at least once | `cargo test -p lab03 step2` |
//! | 3 | [`start`] | where to begin | `cargo test -p lab03 step3` |
//! | 4 | [`sink`] | tables in which repeats do no harm | `cargo test -p lab03 step4` |
//! | 5 | [`lag`] | how far behind a group is | `cargo test -p lab03 step5` |
//! | 6 | [`reset`] | set a group's offsets anew | `cargo test -p lab03 step6` |
//! | 7 | [`job`] | from a topic to a table | `cargo test -p lab03 step7` |
//!
//! [`broker`] and [`crash`] are given: what a broker knows of a topic and a group, and the crash
//! between any two lines of a loop.
//!
//! The chapter is `book/src/03-offsets.md`.

pub mod broker;
pub mod crash;
pub mod guarantee;
pub mod job;
pub mod lag;
pub mod progress;
pub mod reset;
pub mod sink;
pub mod start;
