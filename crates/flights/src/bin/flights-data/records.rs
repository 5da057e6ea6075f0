//! Logs as lines of JSON, for a program that is not ours.

use std::io::{self, Write};
use std::time::Duration;

use flights::edge_log::{FLINK_SEED, edge_log};
use flights::{Flight, Generator, Week};
use serde::Serialize;

/// A log that can be written.
#[derive(Debug, Clone, Copy)]
pub enum Log {
    /// The flights of a week that left, in the order in which they left.
    Week(Week),
    /// The made log of [`edge_log`].
    Edges,
    /// The first so many made flights, out of order by at most 15 minutes.
    Generated(u32),
}

/// A flight as its topic holds it, and its offset there when the topic has one partition and
/// held nothing before.
#[derive(Serialize)]
struct Record {
    offset: u32,
    #[serde(flatten)]
    flight: Flight,
}

impl Log {
    /// The log of this name: `calm`, `storm`, `edges`, or a number of made flights.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "edges" => Some(Log::Edges),
            name => {
                let week = name.parse().map(Log::Week);
                week.ok().or_else(|| name.parse().map(Log::Generated).ok())
            }
        }
    }

    /// Writes the log, in arrival order, one record on each line.
    ///
    /// # Errors
    /// Those of the target.
    pub fn write(self, target: &mut dyn Write) -> io::Result<()> {
        match self {
            Log::Week(week) => write_lines(target, week.load().departed),
            Log::Edges => write_lines(target, edge_log(FLINK_SEED)),
            Log::Generated(count) => {
                let bound = Duration::from_secs(15 * 60);
                let generator =
                    Generator::out_of_order(FLINK_SEED, bound).map_err(io::Error::other)?;
                write_lines(target, (0..count).map(|id| generator.flight(id)))
            }
        }
    }
}

fn write_lines(
    target: &mut dyn Write,
    flights: impl IntoIterator<Item = Flight>,
) -> io::Result<()> {
    for (offset, flight) in (0..).zip(flights) {
        serde_json::to_writer(&mut *target, &Record { offset, flight })?;
        target.write_all(b"\n")?;
    }
    Ok(())
}
