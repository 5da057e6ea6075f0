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
        let unknown = || UnknownStart { found: text.escape_debug().take(40).collect() };
        match text {
            "earliest" => Ok(Start::Earliest),
            "latest" => Ok(Start::Latest),
            "committed" => Ok(Start::Committed),
            _ => match text.strip_prefix("offset:") {
                Some(offset) => match offset.parse() {
                    Ok(offset @ 0..) => Ok(Start::Offset(offset)),
                    _ => Err(unknown()),
                },
                None => flights::utc::parse(text).map(Start::Time).map_err(|_| unknown()),
            },
        }
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
    use crate::broker::{Bounds, numbers, partition_list};
    use rdkafka::consumer::Consumer;

    let topic = &outsider.topic;
    let bounds = outsider.bounds()?;
    let in_range = |partition, offset, Bounds { first, end }| {
        if (first..=end).contains(&offset) {
            return Ok(offset);
        }
        Err(StartError::OutOfRange { topic: topic.clone(), partition, offset, first, end })
    };
    // Only a partition that has such a record is in here: for the others the answer is "the end".
    let found = match start {
        Start::Time(time_ms) => {
            // To Kafka a time of -1 is "the end" and -2 "the beginning". No record is that old.
            let time_ms = time_ms.max(0);
            let question = bounds.keys().map(|partition| (*partition, time_ms)).collect();
            let no_answer = |source| outsider.no_answer(source);
            let question = partition_list(topic, &question).map_err(no_answer)?;
            let answer = outsider.consumer.offsets_for_times(question, outsider.timeout());
            answer.and_then(|answer| numbers(&answer)).map_err(no_answer)?
        }
        Start::Committed => outsider.committed()?,
        _ => Offsets::new(),
    };
    let mut offsets = Offsets::new();
    for (&partition, &within) in &bounds {
        let offset = match start {
            Start::Earliest => within.first,
            Start::Latest => within.end,
            Start::Time(_) => found.get(&partition).copied().unwrap_or(within.end),
            Start::Offset(_) if within.end == 0 => 0,
            Start::Offset(offset) => in_range(partition, offset, within)?,
            Start::Committed => match found.get(&partition) {
                Some(&offset) => in_range(partition, offset, within)?,
                None => within.first,
            },
        };
        offsets.insert(partition, offset);
    }
    Ok(offsets)
}
