//! A made log that meets every edge of a window, to the millisecond.
//!
//! Real slots are whole minutes, so with them a rule that is wrong by one millisecond gives the
//! same windows. This log is not so kind. It lasts 37 hours, from [`START_MS`] on, and holds:
//!
//! - every 30 seconds a flight, its delay within 15 minutes; every eighth up to three hours late,
//!   so beyond a bound of 15 or of 60 minutes;
//! - *edges*, made for windows of one hour, bounds of 15 and 60 minutes, and an allowed lateness
//!   of 0 and 60 minutes: first a flight that takes the watermark to the moment at which an hour's
//!   window fires or is gone, or to one millisecond before or after it; then flights on the end of
//!   this hour, or one millisecond before or after it;
//! - duplicates: one record in twenty comes again, ten records later.
//!
//! The same seed gives the same log, on every machine.

use std::time::Duration;

use crate::flight::Flight;
use crate::generator::{Generator, START_MS, STEP_MS};
use crate::replay::arrival_order;

/// The seed of the log that Apache Flink was given, see `tests/lab05/flink`.
pub const FLINK_SEED: u64 = 2013;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// Edges are in every hour but the first: four times each of the nine pairs of offsets.
const EDGE_HOURS: u32 = 36;

/// From one flight between the edges to the next: 30 seconds.
const IDS_PER_STEP: u32 = 60;
const IDS_PER_HOUR: u32 = (HOUR_MS / STEP_MS) as u32;

const USUAL_DELAY: Duration = Duration::from_secs(15 * 60);
const LONG_DELAY: Duration = Duration::from_secs(180 * 60);

/// The log, in arrival order.
pub fn edge_log(seed: u64) -> Vec<Flight> {
    let mut flights = between_edges(seed);
    flights.extend((1..=EDGE_HOURS).flat_map(|hour| edges(seed, hour)));
    with_duplicates(&arrival_order(flights))
}

/// A flight every 30 seconds, but none at the moments of the edges, whose watermark it would move.
fn between_edges(seed: u64) -> Vec<Flight> {
    let usual = delayed(seed, USUAL_DELAY);
    let slow = delayed(seed, LONG_DELAY);
    let steps = 0..(EDGE_HOURS + 1) * IDS_PER_HOUR / IDS_PER_STEP;
    let flights = steps.map(|step| {
        let generator = if step % 8 == 7 { slow } else { usual };
        generator.flight(step * IDS_PER_STEP)
    });
    let at_edge = |flight: &Flight| [0, 15 * MINUTE_MS].contains(&(flight.departed_ms() % HOUR_MS));
    flights.filter(|flight| !at_edge(flight)).collect()
}

fn delayed(seed: u64, bound: Duration) -> Generator {
    Generator::out_of_order(seed, bound).expect("a bound of whole minutes, below a day")
}

/// The edges of an hour of the log: at its start for a bound of 60 minutes, a quarter past for 15.
fn edges(seed: u64, hour: u32) -> Vec<Flight> {
    let (opener_offset_ms, probe_offset_ms) = offsets_ms(hour);
    let first_id = hour * IDS_PER_HOUR;
    let start_ms = START_MS + i64::from(hour) * HOUR_MS;
    let mut flights = vec![];
    for (edge_min, probe_delays_min, id) in [(0, [60, 120], 1), (15, [15, 75], 4)] {
        let edge_ms = start_ms + i64::from(edge_min) * MINUTE_MS;
        // It leaves a minute early, so it is there before the probes.
        let opener_ms = edge_ms + opener_offset_ms;
        flights.push(placed(seed, first_id + id, opener_ms, -1));
        for (id, delay_min) in (first_id + id + 1..).zip(probe_delays_min) {
            let slot_ms = edge_ms + probe_offset_ms - i64::from(delay_min) * MINUTE_MS;
            flights.push(placed(seed, id, slot_ms, delay_min));
        }
    }
    flights
}

/// Each of -1, 0 and 1 with each of them, in turn from hour to hour.
fn offsets_ms(hour: u32) -> (i64, i64) {
    let pair = i64::from(hour % 9);
    (pair / 3 - 1, pair % 3 - 1)
}

fn placed(seed: u64, id: u32, scheduled_ms: i64, delay_min: i32) -> Flight {
    Flight { scheduled_ms, delay_min, ..Generator::in_order(seed).flight(id) }
}

fn with_duplicates(flights: &[Flight]) -> Vec<Flight> {
    let mut log = vec![];
    for (index, flight) in flights.iter().enumerate() {
        log.push(flight.clone());
        if index % 20 == 19 {
            log.push(flights[index - 10].clone());
        }
    }
    log
}
