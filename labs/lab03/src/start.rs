//! Step 3: where to begin.

use std::str::FromStr;

use thiserror::Error;

use crate::broker::{BrokerError, Outsider};
use crate::progress::Offsets;

// ANCHOR: start
/// Where a reader begins, in each partition.
///
/// Parses from `earliest`, `latest`, `committed`, `offset:42` and a UTC time such as
/// `2013-02-18T06:00:00Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At the oldest record that is still there.
    Earliest,
    /// At the end as it is now: with the next record to come.
    Latest,
    /// At the first record whose timestamp is this one or later, in milliseconds since the epoch,
    /// UTC; where there is none, at the end as it is now.
    Time(i64),
    /// At this offset. A partition to which nothing was ever written begins at 0.
    Offset(i64),
    /// Where the group's last commit says; without a commit, at the oldest record.
    Committed,
}
// ANCHOR_END: start

/// A text that is no start.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "expected `earliest`, `latest`, `committed`, `offset:42` or a UTC time such as \
     `2013-02-18T06:00:00Z`, found `{found}`"
)]
pub struct UnknownStart {
    /// The text.
    pub found: String,
}

/// Why it is not known where to begin.
#[derive(Debug, Error)]
pub enum StartError {
    /// The offset is no place in the partition: older than the oldest record, or behind the end.
    #[error(
        "topic `{topic}`, partition {partition}: offset {offset} is not there, \
         expected one from {first} to {end}"
    )]
    OutOfRange {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// The offset that was asked for, or committed.
        offset: i64,
        /// The oldest offset that is there.
        first: i64,
        /// The offset of the next record to come.
        end: i64,
    },
    /// The broker could not be asked.
    #[error(transparent)]
    Broker(#[from] BrokerError),
}

impl FromStr for Start {
    type Err = UnknownStart;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // `flights::utc::parse` reads a time. Which number behind `offset:` is no offset?
        todo!("step 3: read a start from `{text}`")
    }
}

/// Resolves a start to an offset for each partition of the outsider's topic, now. What is written from
/// here on lies behind these offsets and is read, whenever the first poll comes.
///
/// This call blocks its thread.
///
/// # Errors
/// - [`StartError::OutOfRange`] for an offset, given or committed, that is not there. Nothing is
///   skipped without a word.
/// - [`StartError::Broker`] when the topic does not exist or the broker cannot be asked.
pub fn resolve(outsider: &Outsider, start: Start) -> Result<Offsets, StartError> {
    // `outsider.bounds()` and `outsider.committed()` are given; `outsider.consumer` can look up
    // times with `offsets_for_times`. To that call, the offsets of a list are timestamps;
    // `broker::partition_list` makes a list.
    // What does it answer for a partition that has no record so late? `broker::numbers` leaves out
    // what is no number. And which timestamps mean something else to Kafka?
    // An offset that is not between the bounds: what would a client do with it, if it got it?
    todo!("step 3: where does {start:?} begin in each partition of {}?", outsider.topic)
}
