//! The two weeks that live in the repository.

use std::ops::Range;
use std::str::FromStr;

use thiserror::Error;

use crate::data_set::DataSet;
use crate::quote::quoted;
use crate::reader::read_csv;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// 2013-02-18T00:00:00Z.
const CALM_START_MS: i64 = 1_361_145_600_000;

/// 2013-02-04T00:00:00Z.
const STORM_START_MS: i64 = 1_359_936_000_000;

/// A week of flights, by the slot, in UTC. Parses from its [name](Week::name).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Week {
    /// 18-24 February 2013: an ordinary week.
    Calm,
    /// 4-10 February 2013: on the 8th and 9th a blizzard closed the airports.
    Storm,
}

/// A name that is no week's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected a week, `calm` or `storm`, found {found}")]
pub struct WeekError {
    found: String,
}

impl Week {
    /// Both weeks.
    pub const ALL: [Week; 2] = [Week::Calm, Week::Storm];

    /// The flights of the week, those that left in the order in which they left.
    ///
    /// The file is compiled in, and a test reads it: this cannot fail.
    pub fn load(self) -> DataSet {
        read_csv(self.csv().as_bytes(), self.file_name()).expect("the test of the weeks reads it")
    }

    /// The week's file, as it lies in `data/`.
    pub fn csv(self) -> &'static str {
        match self {
            Week::Calm => include_str!("../../../data/calm-week.csv"),
            Week::Storm => include_str!("../../../data/storm-week.csv"),
        }
    }

    /// The name of the week's file in `data/`.
    pub fn file_name(self) -> &'static str {
        match self {
            Week::Calm => "calm-week.csv",
            Week::Storm => "storm-week.csv",
        }
    }

    /// The name for a command line: `calm` or `storm`.
    pub fn name(self) -> &'static str {
        match self {
            Week::Calm => "calm",
            Week::Storm => "storm",
        }
    }

    /// The dates for a person: `18-24 February 2013`.
    pub fn label(self) -> &'static str {
        match self {
            Week::Calm => "18-24 February 2013",
            Week::Storm => "4-10 February 2013",
        }
    }

    /// The heading of a table: `Calm week, 18-24 February 2013`.
    pub fn title(self) -> &'static str {
        match self {
            Week::Calm => "Calm week, 18-24 February 2013",
            Week::Storm => "Storm week, 4-10 February 2013",
        }
    }

    /// The slots that belong to the week, in milliseconds since the epoch, UTC.
    pub fn slots_ms(self) -> Range<i64> {
        let start_ms = match self {
            Week::Calm => CALM_START_MS,
            Week::Storm => STORM_START_MS,
        };
        start_ms..start_ms + 7 * DAY_MS
    }
}

impl FromStr for Week {
    type Err = WeekError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Week::ALL
            .into_iter()
            .find(|week| week.name() == name)
            .ok_or_else(|| WeekError { found: quoted(name) })
    }
}
