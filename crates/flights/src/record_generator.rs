//! Records of made flights, some of them twice, some no flights at all.
//!
//! A stream of records is what a producer leaves on a topic: most are flights for the first time,
//! some are flights that were sent again, some cannot be read by anybody. Record number `position`
//! of a stream is a pure function of the seed and the position, and how many there are of each
//! kind is exact, so that a test can say what must come out at the other end.

use thiserror::Error;

use crate::flight::Flight;
use crate::generator::Generator;
use crate::poison::{PoisonKind, PoisonPill};
use crate::splitmix::splitmix64;

/// Apart from the seed itself, which chooses the flights, so that the choices are independent.
const DUPLICATE_SALT: u64 = 0x6475_706c_6963_6174;
const POISON_SALT: u64 = 0x706f_6973_6f6e_7069;

/// A record of a generated stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Generated {
    /// A flight, for the first time.
    Flight {
        /// Its number at the [`Generator`].
        id: u32,
        /// The flight.
        flight: Flight,
    },
    /// A flight that came before: the same event, so the same key, timestamp and payload.
    Duplicate {
        /// Its number at the [`Generator`].
        id: u32,
        /// The flight.
        flight: Flight,
    },
    /// A record that is no flight.
    Poison(PoisonPill),
}

/// A stream of records over a [`Generator`].
///
/// For every seed and every position:
/// - The same seed and position give the same record.
/// - Without the duplicates and the poison pills, the stream is the flights of the generator by
///   their ids, from 0, and none is left out.
/// - Of each `one_in` records that are no poison pills, counted from the first, the last is a
///   duplicate. It repeats one of the `max_distance` flights just before it, and no flight comes a
///   third time.
/// - Each `one_in` records, counted from the first, have one poison pill among them, at a place
///   that the seed chooses. The kinds take turns, in the order of [`PoisonKind::ALL`]. A pill is a
///   spoiled copy of the next record that is none.
///
/// A duplicate keeps the timestamp of its first copy, as one that a producer sent again does. So
/// the timestamps of a stream step back at a duplicate, by at most `max_distance` times
/// [`STEP_MS`](crate::generator::STEP_MS).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordGenerator {
    flights: Generator,
    duplicates: Option<Duplicates>,
    poison_one_in: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Duplicates {
    one_in: u32,
    max_distance: u32,
}

/// A share or a distance that the generator cannot keep.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ShareError {
    /// There would be nothing else in the stream, or nothing at all.
    #[error("expected one {what} in 2 records or more, found one in {found}")]
    OneIn {
        /// What was to be placed.
        what: &'static str,
        /// The number that was asked for.
        found: u32,
    },
    /// A duplicate would repeat itself, or the flight of an earlier duplicate.
    #[error("expected a distance from 1 to {max}, found {found}")]
    Distance {
        /// The largest distance with this share.
        max: u32,
        /// The distance that was asked for.
        found: u32,
    },
}

impl RecordGenerator {
    /// A stream of nothing but the flights.
    pub fn new(flights: Generator) -> Self {
        Self { flights, duplicates: None, poison_one_in: None }
    }

    /// The same stream in which one in so many records, the poison pills not counted, is a
    /// duplicate of a flight at most `max_distance` such records before it.
    ///
    /// # Errors
    /// When `one_in` is below 2, or `max_distance` is 0 or not below `one_in`.
    pub fn with_duplicates(self, one_in: u32, max_distance: u32) -> Result<Self, ShareError> {
        check_share("duplicate", one_in)?;
        if !(1..one_in).contains(&max_distance) {
            return Err(ShareError::Distance { max: one_in - 1, found: max_distance });
        }
        Ok(Self { duplicates: Some(Duplicates { one_in, max_distance }), ..self })
    }

    /// The same stream in which one in so many records is a poison pill.
    ///
    /// # Errors
    /// When `one_in` is below 2.
    pub fn with_poison(self, one_in: u32) -> Result<Self, ShareError> {
        check_share("poison pill", one_in)?;
        Ok(Self { poison_one_in: Some(one_in), ..self })
    }

    /// The record at a position, from 0.
    pub fn record(&self, position: u32) -> Generated {
        let Some(one_in) = self.poison_one_in else { return self.readable(position) };
        let (block, place) = (position / one_in, position % one_in);
        let pill_at = below(one_in, self.flights.seed() ^ POISON_SALT, block);
        let readable_before = position - block - u32::from(place > pill_at);
        if place == pill_at {
            let kind = PoisonKind::ALL[block as usize % PoisonKind::ALL.len()];
            let (id, _) = self.id_at(readable_before);
            Generated::Poison(kind.spoil(&self.flights.flight(id)))
        } else {
            self.readable(readable_before)
        }
    }

    /// The record at an index of those that are no poison pills.
    fn readable(&self, index: u32) -> Generated {
        let (id, again) = self.id_at(index);
        let flight = self.flights.flight(id);
        if again { Generated::Duplicate { id, flight } } else { Generated::Flight { id, flight } }
    }

    /// The flight's id at an index of those that are no poison pills, and whether it came before.
    fn id_at(&self, index: u32) -> (u32, bool) {
        let Some(Duplicates { one_in, max_distance }) = self.duplicates else {
            return (index, false);
        };
        let (block, place) = (index / one_in, index % one_in);
        let next_id = index - block;
        if place < one_in - 1 {
            return (next_id, false);
        }
        let distance = 1 + below(max_distance, self.flights.seed() ^ DUPLICATE_SALT, block);
        (next_id - distance, true)
    }
}

fn check_share(what: &'static str, one_in: u32) -> Result<(), ShareError> {
    if one_in < 2 { Err(ShareError::OneIn { what, found: one_in }) } else { Ok(()) }
}

/// A number below the limit, one as likely as the next.
fn below(limit: u32, seed: u64, index: u32) -> u32 {
    (splitmix64(seed, u64::from(index)) % u64::from(limit)) as u32
}
