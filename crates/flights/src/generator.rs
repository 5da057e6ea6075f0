//! Flights that never flew, as many as one likes, placed exactly.
//!
//! A test of the real flights shows that code works; a generated stream shows the one thing that
//! it must survive. Flight number `id` of a stream is a pure function of the seed and the id: the
//! same on every machine, in every order of asking, and without the ones before it.

use std::time::Duration;

use thiserror::Error;

use crate::flight::Flight;
use crate::splitmix::splitmix64;

/// When flight 0 leaves: 2013-01-01T00:00:00Z.
pub const START_MS: i64 = 1_356_998_400_000;

/// From one departure to the next. Half a second, so that the last id of all still leaves before
/// the year 2100, the end of what a [`Flight`] may hold.
pub const STEP_MS: i64 = 500;

/// The largest bound. Below it no two flights can share slot and number.
pub const MAX_BOUND: Duration = Duration::from_secs(24 * 60 * 60);

const MINUTE: Duration = Duration::from_secs(60);

/// Carrier, origin, destination and distance of flights that exist, three from each airport.
const ROUTES: [(&str, &str, &str, u16); 9] = [
    ("UA", "EWR", "IAH", 1400),
    ("B6", "EWR", "FLL", 1065),
    ("EV", "EWR", "IAD", 212),
    ("AA", "JFK", "MIA", 1089),
    ("B6", "JFK", "BQN", 1576),
    ("DL", "JFK", "LAX", 2475),
    ("MQ", "LGA", "ORD", 733),
    ("DL", "LGA", "ATL", 762),
    ("US", "LGA", "DCA", 214),
];

/// A stream of made flights.
///
/// For every seed and every id:
/// - The same seed and id give the same flight.
/// - It leaves, and so arrives, at `START_MS + id * STEP_MS`: later than every flight before it.
/// - Its slot is at most the bound before that, and never after it. So it is never behind the
///   latest slot of the flights before it by more than the bound: under a watermark with this
///   bound, or a larger one, no record is late.
/// - In order, the bound is 0: the slots are strictly increasing.
/// - It passes [`Flight::check`], and no other flight of the stream has its slot and number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Generator {
    seed: u64,
    bound_min: u16,
}

/// A bound that the generator cannot keep.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected a bound of whole minutes from 1 min to 24 h, found {found:?}")]
pub struct BoundError {
    found: Duration,
}

impl Generator {
    /// A stream whose flights all leave on their slot.
    pub fn in_order(seed: u64) -> Self {
        Self { seed, bound_min: 0 }
    }

    /// A stream whose flights leave late by 0 to `bound`, each minute as likely as the next.
    ///
    /// # Errors
    /// When the bound is not a number of whole minutes, none, or above [`MAX_BOUND`]: a delay is
    /// a number of whole minutes.
    pub fn out_of_order(seed: u64, bound: Duration) -> Result<Self, BoundError> {
        let minutes = bound.as_secs() / MINUTE.as_secs();
        let whole = Duration::from_secs(minutes * MINUTE.as_secs()) == bound;
        match u16::try_from(minutes) {
            Ok(bound_min @ 1..) if whole && bound <= MAX_BOUND => Ok(Self { seed, bound_min }),
            _ => Err(BoundError { found: bound }),
        }
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// The flight of an id.
    pub fn flight(&self, id: u32) -> Flight {
        let bits = splitmix64(self.seed, u64::from(id));
        // Two independent choices: one from the upper, one from the lower half.
        let (upper, lower) = (bits >> 32, bits & u64::from(u32::MAX));
        let (carrier, origin, dest, distance_miles) =
            ROUTES[(upper % ROUTES.len() as u64) as usize];
        let delay_min = (lower % (u64::from(self.bound_min) + 1)) as i32;
        let departed_ms = START_MS + i64::from(id) * STEP_MS;
        Flight {
            carrier: carrier.to_owned(),
            flight: (1 + id % 9999) as u16,
            tail: Some(format!("N{}", 10_000 + id % 90_000)),
            origin: origin.to_owned(),
            dest: dest.to_owned(),
            distance_miles,
            scheduled_ms: departed_ms - i64::from(delay_min) * 60_000,
            delay_min,
        }
    }
}
