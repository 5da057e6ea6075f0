//! Lab 06, checkpoints.
//!
//! | step | module | you write | command |
//! |---|---|---|---|
//! | 1 | [`checkpoint`] | snapshot and restore, and their bytes | `cargo test -p lab06 step1` |
//! | 2 | [`store`] | one transaction | `cargo test -p lab06 step2` |
//! | 3 | [`recovery`] | where to go on, and when not to | `cargo test -p lab06 step3` |
//! | 4 | [`turn`] | a loop that survives a crash anywhere | `cargo test -p lab06 step4` |
//! | 5 | [`savepoint`] | another version, another machine | `cargo test -p lab06 step5` |
//! | 6, further | [`fencing`] | an instance that only seemed dead | `cargo test -p lab06 step6` |
//! | 7, further | [`interval`] | how often, and what it costs | `cargo test -p lab06 step7` |
//!
//! Given are [`state`], what a checkpoint holds; [`version1`], what last year's program wrote;
//! [`process`], one input taken into the state; [`last_record`], the records by which a topic is
//! recognised; [`rewind`], the way back to an earlier checkpoint; [`job`], the effects on Kafka and
//! PostgreSQL; and [`crash`], the same in memory, with a table of what a crash costs.
//!
//! The chapter is `book/src/06-checkpoints.md`.

pub mod checkpoint;
pub mod crash;
pub mod fencing;
pub mod interval;
pub mod job;
pub mod last_record;
pub mod process;
pub mod recovery;
pub mod rewind;
pub mod savepoint;
pub mod state;
pub mod store;
pub mod turn;
pub mod version1;
