//! Records of made flights, some of them twice, some no flights at all, and where each lies.
//!
//! A stream of records is what a producer leaves on a topic: most are flights for the first time,
//! some are flights that were sent again, some cannot be read by anybody. Record number `position`
//! of a stream is a pure function of the seed and the position, and how many there are of each
//! kind is exact, so that a test can say what must come out at the other end.
//!
//! A million records on four partitions, none of which is idle, and no record behind its own
//! partition by more than 15 minutes:
//!
//! ```
//! use std::time::Duration;
//! use flights::{Generator, RecordGenerator};
//!
//! let flights = Generator::out_of_order(7, Duration::from_mins(15))?;
//! let records = RecordGenerator::new(flights).with_partitions(4)?;
//! let last = 1_000_000 - 1;
//! assert_eq!(records.partition(last), 3);
//! records.record(last);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::ops::Range;

use thiserror::Error;

use crate::flight::Flight;
use crate::generator::Generator;
use crate::poison::{PoisonKind, PoisonPill};
use crate::splitmix::below;

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
///
/// A record lies on the partition that [`partition`](RecordGenerator::partition) says, or on the
/// one that the producer chooses by its key: whoever writes the stream decides. There are only
/// three keys, so where a test needs four partitions, all of them busy, keys cannot do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordGenerator {
    flights: Generator,
    duplicates: Option<Duplicates>,
    poison_one_in: Option<u32>,
    partitions: u32,
    silence: Option<Silence>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Duplicates {
    one_in: u32,
    max_distance: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Silence {
    partition: u32,
    first: u32,
    /// The first position at which the partition is no longer silent.
    end: u32,
}

/// A share, a distance or a place that the generator cannot keep.
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
    /// A record lies on a partition, and Kafka numbers them from 0.
    #[error("expected 1 partition or more, found {found}")]
    Partitions {
        /// The number that was asked for.
        found: i32,
    },
    /// Nobody would take the records of the silent partition, or there is no such partition.
    #[error("expected a silent partition among 2 or more, found {partition} of {partitions}")]
    Silence {
        /// The partition that was to be silent.
        partition: i32,
        /// The partitions of the stream.
        partitions: u32,
    },
}

impl RecordGenerator {
    /// A stream of nothing but the flights, all of them on partition 0.
    pub fn new(flights: Generator) -> Self {
        Self { flights, duplicates: None, poison_one_in: None, partitions: 1, silence: None }
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

    /// The same stream on so many partitions, on which the flights take turns. No partition is idle
    /// then: of each `partitions` flights that are not late, counted from the first, each gets one.
    ///
    /// A late flight lies with the flight before it, so within its partition it is late by as much
    /// as in the stream. A duplicate lies with its first copy, a poison pill with the record that it
    /// is a spoiled copy of.
    ///
    /// # Errors
    /// When there is no partition, or when one is silent that would not be there.
    pub fn with_partitions(self, partitions: i32) -> Result<Self, ShareError> {
        let found = partitions;
        let partitions = u32::try_from(partitions).ok().filter(|partitions| *partitions > 0);
        let stream =
            Self { partitions: partitions.ok_or(ShareError::Partitions { found })?, ..self };
        stream.checked_silence()
    }

    /// The same stream in which one partition falls silent: of the records at these positions none
    /// lies on it. The partition after it takes them, the first after the last. A silence of no
    /// end is `first..u32::MAX`.
    ///
    /// Where the silence begins or ends between a late flight and the one before it, the late one
    /// lies elsewhere, and within that partition it may be late by less, or not at all.
    ///
    /// # Errors
    /// When the stream has no such partition, or no other one.
    pub fn with_silence(self, partition: i32, positions: Range<u32>) -> Result<Self, ShareError> {
        let no_such = ShareError::Silence { partition, partitions: self.partitions };
        let partition = u32::try_from(partition).map_err(|_| no_such)?;
        let silence = Silence { partition, first: positions.start, end: positions.end };
        Self { silence: Some(silence), ..self }.checked_silence()
    }

    fn checked_silence(self) -> Result<Self, ShareError> {
        match self.silence {
            Some(silence) if self.partitions < 2 || silence.partition >= self.partitions => {
                let partition = silence.partition as i32;
                Err(ShareError::Silence { partition, partitions: self.partitions })
            }
            _ => Ok(self),
        }
    }

    /// The record at a position, from 0.
    pub fn record(&self, position: u32) -> Generated {
        let (index, pill) = self.readable_at(position);
        let (id, again) = self.id_at(index);
        let flight = self.flights.flight(id);
        match pill {
            Some(kind) => Generated::Poison(kind.spoil(&flight)),
            None if again => Generated::Duplicate { id, flight },
            None => Generated::Flight { id, flight },
        }
    }

    /// The partition of the record at a position, from 0.
    pub fn partition(&self, position: u32) -> i32 {
        let (id, _) = self.id_at(self.readable_at(position).0);
        let partition = self.flights.turn(id) % self.partitions;
        let is_silent = self.silence.is_some_and(|silence| {
            silence.partition == partition && (silence.first..silence.end).contains(&position)
        });
        ((partition + u32::from(is_silent)) % self.partitions) as i32
    }

    /// Among the records that are no poison pills, the index of the one at a position. At a pill it
    /// is that of the next one, and the pill's kind is given with it.
    fn readable_at(&self, position: u32) -> (u32, Option<PoisonKind>) {
        let Some(one_in) = self.poison_one_in else { return (position, None) };
        let (block, place) = (position / one_in, position % one_in);
        let pill_at = below(one_in, self.flights.seed() ^ POISON_SALT, block);
        let kind = PoisonKind::ALL[block as usize % PoisonKind::ALL.len()];
        let index = position - block - u32::from(place > pill_at);
        (index, (place == pill_at).then_some(kind))
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
