//! Times, spans and flights that the tests use.

use std::time::Duration;

use flights::{Flight, utc};
use timeline::instants::Instants;

/// An instant of 8 February 2013, the first day of the blizzard: `at("06:10")`.
pub fn at(clock: &str) -> i64 {
    let seconds = if clock.len() == "06:10".len() { ":00" } else { "" };
    utc::parse(&format!("2013-02-08T{clock}{seconds}Z")).expect("a time of the day")
}

/// An instant as a timeline shows it: `06:10`, or `none`.
pub fn shown(instant_ms: Option<i64>) -> String {
    Instants::new(instant_ms).optional(instant_ms)
}

/// So many minutes.
pub const fn minutes(count: u64) -> Duration {
    Duration::from_secs(60 * count)
}

/// A reading of the reader's clock: so many seconds after it began.
pub const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// A flight from an airport with a slot and a delay.
pub fn flight(origin: &str, slot: &str, delay_min: i32) -> Flight {
    Flight {
        carrier: "UA".to_owned(),
        flight: 1545,
        tail: None,
        origin: origin.to_owned(),
        dest: "IAH".to_owned(),
        distance_miles: 1400,
        scheduled_ms: at(slot),
        delay_min,
    }
}
