//! The flights again, in the order in which they left, as fast as one likes.

use std::fmt;
use std::iter::Peekable;
use std::str::FromStr;
use std::time::Duration;
use std::vec;

use thiserror::Error;
use tokio::time::{Instant, sleep_until};

use crate::flight::Flight;
use crate::quote::quoted;

/// Puts flights into the order in which they arrive: by the minute in which they left. Flights
/// that left in the same minute stay in the order in which they were given.
pub fn arrival_order(mut flights: Vec<Flight>) -> Vec<Flight> {
    flights.sort_by_key(Flight::departed_ms);
    flights
}

/// How fast a replay runs: a multiple of real time, or without waiting at all. Parses from
/// `3600x`, `3600` and `unpaced`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Speed(Option<f64>);

/// A speed that cannot be kept.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected a speed from 1x to 1000000000x such as `3600x`, or `unpaced`, found {found}")]
pub struct SpeedError {
    found: String,
}

impl Speed {
    /// No waiting: each flight follows at once.
    pub const UNPACED: Speed = Speed(None);

    /// A multiple of real time: at 3600, an hour of 2013 takes a second.
    ///
    /// # Errors
    /// When it is not a number from 1 to 1,000,000,000.
    pub fn times(multiple: f64) -> Result<Self, SpeedError> {
        // A range that holds no NaN and no infinity refuses both.
        if (1.0..=1e9).contains(&multiple) {
            Ok(Self(Some(multiple)))
        } else {
            Err(SpeedError { found: format!("`{multiple}`") })
        }
    }

    /// How long a span of the flights' time takes in the replay.
    fn real(self, span_ms: i64) -> Duration {
        let Some(multiple) = self.0 else { return Duration::ZERO };
        Duration::from_millis(span_ms.max(0).unsigned_abs()).div_f64(multiple)
    }
}

impl FromStr for Speed {
    type Err = SpeedError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "unpaced" {
            return Ok(Self::UNPACED);
        }
        let number = text.strip_suffix('x').unwrap_or(text);
        let multiple = number.parse().map_err(|_| SpeedError { found: quoted(text) })?;
        Self::times(multiple)
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(multiple) => write!(f, "{multiple}x"),
            None => f.write_str("unpaced"),
        }
    }
}

/// Gives out flights in arrival order, each when it is due.
///
/// The first flight is due at the first call of [`next`](Replay::next). Every other one is due as
/// long after the first as it left after it, divided by the speed. The distance is always taken
/// from the first flight, so that the pauses do not add up their errors: a reader who falls behind
/// gets the flights that are due at once, and has caught up.
pub struct Replay {
    flights: Peekable<vec::IntoIter<Flight>>,
    speed: Speed,
    /// When the first flight was given out, and when it really left, in milliseconds since the
    /// epoch, UTC.
    start: Option<(Instant, i64)>,
}

impl Replay {
    /// Makes a replay of flights in any order.
    pub fn new(flights: Vec<Flight>, speed: Speed) -> Self {
        let flights = arrival_order(flights).into_iter().peekable();
        Self { flights, speed, start: None }
    }

    /// Waits until the next flight is due and gives it out; `None` after the last.
    ///
    /// A call that is dropped while it waits loses no flight: the next call gives it out.
    pub async fn next(&mut self) -> Option<Flight> {
        let departed_ms = self.flights.peek()?.departed_ms();
        let (start, first_ms) = *self.start.get_or_insert_with(|| (Instant::now(), departed_ms));
        if self.speed != Speed::UNPACED {
            sleep_until(start + self.speed.real(departed_ms.saturating_sub(first_ms))).await;
        }
        self.flights.next()
    }
}
