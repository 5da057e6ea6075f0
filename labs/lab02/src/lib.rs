//! Lab 02, producers and consumers.
//!
//! | step | module | you write | command |
//! |---|---|---|---|
//! | 1 | [`batch`] | a batch that is full, or due, or the last | `cargo test -p lab02 step1` |
//! | 2 | [`producer`] | a producer that loses nothing, and its report | `cargo test -p lab02 step2` |
//! | 3 | [`in_flight`] | many records in flight, but never more than so many | `cargo test -p lab02 step3` |
//! | 4 | [`dead_letters`] | a loop that no record can end | `cargo test -p lab02 step4` |
//! | 5 | [`group`] | who owns which partition, and what is read twice | `cargo test -p lab02 step5` |
//! | 6 | [`job`] | from the topic into PostgreSQL, in batches | `cargo test -p lab02 step6` |
//!
//! Given:
//!
//! | module | idea |
//! |---|---|
//! | [`record`] | a record as bytes, and its place |
//! | [`member`] | one member of a consumer group at work, for a terminal of its own |
//! | [`picture`] | a group's history as a small drawing |
//! | [`table`] | the table that the job writes to, and how it is reached |
//!
//! The chapter is `book/src/02-producers-and-consumers.md`.

pub mod batch;
pub mod dead_letters;
pub mod group;
pub mod in_flight;
pub mod job;
pub mod member;
pub mod picture;
pub mod producer;
pub mod record;
pub mod table;
