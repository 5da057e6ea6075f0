//! Flights that never flew, as many as one likes, placed exactly.
//!
//! A test of the real flights shows that code works; a generated stream shows the one thing that
//! it must survive. Flight number `id` of a stream is a pure function of the seed and the id: the
//! same on every machine, in every order of asking, and without the ones before it.
//!
//! Three pathologies can be added, each alone or with the others: flights that come late beyond the
//! bound, one hot key, and a clock that is off.
//!
//! ```
//! use std::time::Duration;
//! use flights::Generator;
//!
//! let generator = Generator::out_of_order(7, Duration::from_mins(15))?
//!     .with_late(10, Duration::from_mins(20))?
//!     .with_hot_airport("JFK", 90)?
//!     .with_clock_off("LGA", -90)?;
//! let late: Vec<u32> = (0..40).filter(|id| generator.is_late(*id)).collect();
//! assert_eq!(late, [9, 19, 29, 39]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::time::Duration;

use thiserror::Error;

use crate::flight::Flight;
use crate::quote::quoted;
use crate::splitmix::{below, splitmix64};

/// When flight 0 leaves: 2013-01-01T00:00:00Z.
pub const START_MS: i64 = 1_356_998_400_000;

/// From one departure to the next. Half a second, so that the last id of all still leaves before
/// the year 2100, the end of what a [`Flight`] may hold.
pub const STEP_MS: i64 = 500;

/// The largest bound. Up to twice as long no two flights can share slot and number.
pub const MAX_BOUND: Duration = Duration::from_secs(24 * 60 * 60);

/// The most by which a flight can come late beyond the bound.
pub const MAX_LATE_BY: Duration = MAX_BOUND;

/// The most minutes that a clock can be off: a flight cannot leave more than a day early.
pub const MAX_CLOCK_OFF_MIN: i32 = 24 * 60;

const MINUTE: Duration = Duration::from_secs(60);

/// Apart from the seed itself, which chooses routes and delays, so that the choices are independent.
const HOT_SALT: u64 = 0x686f_745f_6b65_795f;

/// The airports of departure, in the order of [`ROUTES`].
const AIRPORTS: [&str; 3] = ["EWR", "JFK", "LGA"];

const ROUTES_EACH: usize = 3;

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
///   bound, or a larger one, no record is late. The same holds within each partition, however the
///   flights are spread over partitions.
/// - In order, the bound is 0: the slots are strictly increasing.
/// - It passes [`Flight::check`], and no other flight of the stream has its slot and number.
///
/// What [`with_late`](Generator::with_late), [`with_hot_airport`](Generator::with_hot_airport) and
/// [`with_clock_off`](Generator::with_clock_off) change of that, each of them says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Generator {
    seed: u64,
    bound_min: u16,
    late: Option<Late>,
    hot: Option<Hot>,
    clock_off: Option<ClockOff>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Late {
    one_in: u32,
    by_min: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Hot {
    /// An index of [`AIRPORTS`].
    airport: usize,
    percent: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ClockOff {
    /// An index of [`AIRPORTS`].
    airport: usize,
    off_min: i32,
}

/// A bound that the generator cannot keep.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected a bound of whole minutes from 1 min to 24 h, found {found:?}")]
pub struct BoundError {
    found: Duration,
}

/// A pathology that the generator cannot place.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PathologyError {
    /// A late flight needs one before it that is on time.
    #[error("expected one late flight in 2 or more, found one in {found}")]
    LateOneIn {
        /// The number that was asked for.
        found: u32,
    },
    /// A delay is a number of whole minutes, and has a limit.
    #[error("expected a lateness of whole minutes from 1 min to 24 h, found {found:?}")]
    LateBy {
        /// The span that was asked for.
        found: Duration,
    },
    /// No flight leaves from there.
    #[error("expected an airport of EWR, JFK or LGA, found {found}")]
    Airport {
        /// The name that was asked for, in quotes.
        found: String,
    },
    /// There would be no other key, or none of this one.
    #[error("expected a share from 1 to 99 percent, found {found}")]
    Percent {
        /// The share that was asked for.
        found: u32,
    },
    /// A clock that is not off, or by more than a flight's delay can say.
    #[error("expected a clock that is off by 1 to 1440 minutes, found {found}")]
    ClockOff {
        /// The minutes that were asked for.
        found: i32,
    },
}

impl Generator {
    /// A stream whose flights all leave on their slot.
    pub fn in_order(seed: u64) -> Self {
        Self { seed, bound_min: 0, late: None, hot: None, clock_off: None }
    }

    /// A stream whose flights leave late by 0 to `bound`, each minute as likely as the next.
    ///
    /// # Errors
    /// When the bound is not a number of whole minutes, none, or above [`MAX_BOUND`]: a delay is
    /// a number of whole minutes.
    pub fn out_of_order(seed: u64, bound: Duration) -> Result<Self, BoundError> {
        let bound_min = whole_minutes(bound, MAX_BOUND).ok_or(BoundError { found: bound })?;
        Ok(Self { bound_min, ..Self::in_order(seed) })
    }

    /// The same stream in which of each `one_in` flights, counted from the first, the last comes
    /// late beyond the bound: behind the watermark with this bound by exactly `by`. All others are
    /// on time.
    ///
    /// So that this is exact, a late flight leaves from the same airport and in the same moment as
    /// the flight before it, and that one leaves on its slot. Where flights with the same key share
    /// a partition, it is late by as much within its partition.
    ///
    /// # Errors
    /// When `one_in` is below 2, or `by` is not a number of whole minutes, none, or above
    /// [`MAX_LATE_BY`].
    pub fn with_late(self, one_in: u32, by: Duration) -> Result<Self, PathologyError> {
        if one_in < 2 {
            return Err(PathologyError::LateOneIn { found: one_in });
        }
        let by_min = whole_minutes(by, MAX_LATE_BY).ok_or(PathologyError::LateBy { found: by })?;
        Ok(Self { late: Some(Late { one_in, by_min }), ..self })
    }

    /// The same stream in which so many percent of the flights leave from one airport, the hot key.
    /// The share is exact in each hundred flights that are not late, counted from the first. The
    /// two other airports share the rest.
    ///
    /// # Errors
    /// When no flight leaves from this airport, or the share is not from 1 to 99 percent.
    pub fn with_hot_airport(self, airport: &str, percent: u32) -> Result<Self, PathologyError> {
        let airport = airport_index(airport)?;
        if !(1..=99).contains(&percent) {
            return Err(PathologyError::Percent { found: percent });
        }
        Ok(Self { hot: Some(Hot { airport, percent }), ..self })
    }

    /// The same stream in which the clock of one airport is off by so many minutes: fast where the
    /// number is positive, slow where it is negative.
    ///
    /// A clock says when a flight leaves. So it is the departure that is wrong by so much, and with
    /// it the delay and the record's timestamp. The slot, the event time, comes from the timetable
    /// and is right. The flights still come in the order of their ids, so the timestamps of the
    /// stream are out of order.
    ///
    /// # Errors
    /// When no flight leaves from this airport, or the number is 0, above [`MAX_CLOCK_OFF_MIN`], or
    /// below its negative.
    pub fn with_clock_off(self, airport: &str, off_min: i32) -> Result<Self, PathologyError> {
        let airport = airport_index(airport)?;
        if off_min == 0 || !(-MAX_CLOCK_OFF_MIN..=MAX_CLOCK_OFF_MIN).contains(&off_min) {
            return Err(PathologyError::ClockOff { found: off_min });
        }
        Ok(Self { clock_off: Some(ClockOff { airport, off_min }), ..self })
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// Whether the flight of an id comes late beyond the bound.
    pub fn is_late(&self, id: u32) -> bool {
        self.late.is_some_and(|late| id % late.one_in == late.one_in - 1)
    }

    /// How many flights before this one are on time. A late flight has the turn of the one before
    /// it.
    pub(crate) fn turn(&self, id: u32) -> u32 {
        let late_before = self.late.map_or(0, |late| id / late.one_in);
        id - late_before - u32::from(self.is_late(id))
    }

    /// The flight of an id.
    pub fn flight(&self, id: u32) -> Flight {
        // A late flight leaves with the one before it.
        let leaves_as = if self.is_late(id) { id - 1 } else { id };
        let (carrier, origin, dest, distance_miles) = ROUTES[self.route(leaves_as)];
        let departed_ms = START_MS + i64::from(leaves_as) * STEP_MS;
        let delay_min = self.delay_min(id);
        let clock_off = self.clock_off.filter(|clock| AIRPORTS[clock.airport] == origin);
        Flight {
            carrier: carrier.to_owned(),
            flight: (1 + id % 9999) as u16,
            tail: Some(format!("N{}", 10_000 + id % 90_000)),
            origin: origin.to_owned(),
            dest: dest.to_owned(),
            distance_miles,
            scheduled_ms: departed_ms - i64::from(delay_min) * 60_000,
            delay_min: delay_min + clock_off.map_or(0, |clock| clock.off_min),
        }
    }

    /// Two independent choices: one for the route, one for the delay.
    fn choices(&self, id: u32) -> (u64, u64) {
        let bits = splitmix64(self.seed, u64::from(id));
        (bits >> 32, bits & u64::from(u32::MAX))
    }

    /// An index of [`ROUTES`].
    fn route(&self, id: u32) -> usize {
        let choice = self.choices(id).0 as usize;
        let Some(Hot { airport, percent }) = self.hot else { return choice % ROUTES.len() };
        let hot_from = airport * ROUTES_EACH;
        let (hundred, place) = (self.turn(id) / 100, self.turn(id) % 100);
        // 37 and 100 have no common divisor, so each place has its own number below 100.
        let number = (place * 37 + below(100, self.seed ^ HOT_SALT, hundred)) % 100;
        if number < percent {
            return hot_from + choice % ROUTES_EACH;
        }
        let other = choice % (ROUTES.len() - ROUTES_EACH);
        if other < hot_from { other } else { other + ROUTES_EACH }
    }

    /// By how much a flight really leaves after its slot.
    fn delay_min(&self, id: u32) -> i32 {
        let bound_min = i32::from(self.bound_min);
        match self.late {
            Some(late) if self.is_late(id) => bound_min + i32::from(late.by_min),
            // The next one is late, exactly so from here.
            Some(late) if id % late.one_in == late.one_in - 2 => 0,
            _ => (self.choices(id).1 % (u64::from(self.bound_min) + 1)) as i32,
        }
    }
}

/// A span in minutes when it is a number of them, at least one, and at most `max`.
fn whole_minutes(span: Duration, max: Duration) -> Option<u16> {
    let minutes = span.as_secs() / MINUTE.as_secs();
    let is_whole = Duration::from_secs(minutes * MINUTE.as_secs()) == span;
    let fits = is_whole && (MINUTE..=max).contains(&span);
    u16::try_from(minutes).ok().filter(|_| fits)
}

fn airport_index(name: &str) -> Result<usize, PathologyError> {
    let index = AIRPORTS.iter().position(|airport| *airport == name);
    index.ok_or_else(|| PathologyError::Airport { found: quoted(name) })
}
