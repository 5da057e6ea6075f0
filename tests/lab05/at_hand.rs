//! Times, windows and flights that the tests use, and results as text.

use std::time::Duration;

use flights::{Flight, utc};
use lab05::delays::Delays;
use lab05::firing::WindowResult;
use lab05::window::Window;
use timeline::instants::Instants;

/// The length of the board's windows.
pub const HOUR: Duration = minutes(60);

const HOUR_MS: i64 = 3_600_000;

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

/// The window of an hour that begins then: `hour_from("06:00")`.
pub fn hour_from(clock: &str) -> Window {
    Window { start_ms: at(clock), end_ms: at(clock) + HOUR_MS }
}

/// The window of an hour that an instant lies in, written without the learner's own code.
pub fn hour_of(timestamp_ms: i64) -> Window {
    let start_ms = timestamp_ms.div_euclid(HOUR_MS) * HOUR_MS;
    Window { start_ms, end_ms: start_ms + HOUR_MS }
}

/// A window as text: `[06:00,07:00)`.
pub fn name(window: Window) -> String {
    let instants = Instants::new([window.start_ms, window.end_ms]);
    format!("[{},{})", instants.text(window.start_ms), instants.text(window.end_ms))
}

/// A result as text: `[06:00,07:00) EWR: 2, revision 1`. The number is that of its flights.
pub fn told(result: &WindowResult) -> String {
    let WindowResult { window, key, delays, revision } = result;
    format!("{} {key}: {}, revision {revision}", name(*window), delays.count)
}

/// Results as text, in their order; `nothing` where there are none.
pub fn told_all(results: &[WindowResult]) -> String {
    match results {
        [] => "nothing".to_owned(),
        results => results.iter().map(told).collect::<Vec<_>>().join("; "),
    }
}

/// The figures of some departures, counted in the plainest way.
pub fn counted(delays_min: &[i32]) -> Delays {
    Delays {
        count: delays_min.len() as u64,
        sum_min: delays_min.iter().map(|delay_min| i64::from(*delay_min)).sum(),
        worst_min: delays_min.iter().max().copied(),
        over_15_min: delays_min.iter().filter(|delay_min| **delay_min > 15).count() as u64,
    }
}

/// A flight from an airport with a slot and a delay.
pub fn flight(origin: &str, scheduled_ms: i64, delay_min: i32) -> Flight {
    Flight {
        carrier: "UA".to_owned(),
        flight: 1545,
        tail: None,
        origin: origin.to_owned(),
        dest: "IAH".to_owned(),
        distance_miles: 1400,
        scheduled_ms,
        delay_min,
    }
}
