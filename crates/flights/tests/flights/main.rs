//! The given code of the course, held to its word.

mod data_program;
#[cfg(unix)]
mod data_script;
mod edge_log;
mod flight;
mod flink;
mod generator;
mod lateness;
mod partitions;
mod pathologies;
mod reader;
mod record_generator;
mod replay;
mod weeks;
mod writer;

use flights::{Flight, utc};

/// A flight of UA from EWR with this slot and delay.
fn flight(scheduled: &str, delay_min: i32) -> Flight {
    Flight {
        carrier: "UA".into(),
        flight: 1545,
        tail: Some("N14228".into()),
        origin: "EWR".into(),
        dest: "IAH".into(),
        distance_miles: 1400,
        scheduled_ms: utc::parse(scheduled).unwrap(),
        delay_min,
    }
}
