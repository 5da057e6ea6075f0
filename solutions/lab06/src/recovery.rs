//! Step 3: where to go on, and when not to.
//!
//! The offsets come from the checkpoint. Those of a consumer group are for displays of lag: they were
//! committed before or after the results, never with them.

use std::collections::BTreeMap;

use flights::utc;
use lab03::broker::Bounds;
use lab05::tables::{DROPPED, RESULTS};
use thiserror::Error;
use tokio_postgres::Client;

use crate::checkpoint::FormatError;
use crate::state::{Checkpoint, Fingerprint};
use crate::store::DEAD_LETTERS;

// ANCHOR: recovery_error
/// Why a job does not begin. Nothing was changed.
#[derive(Debug, Error)]
pub enum RecoveryError {
    /// There is no checkpoint, and there are rows: who begins at the first record over them may have a
    /// record in two tables.
    #[error(
        "job `{job}` has no checkpoint, and `{table}` holds {rows} rows; empty the tables to begin anew"
    )]
    FullTable {
        /// The job.
        job: String,
        /// The first table that is not empty.
        table: &'static str,
        /// How many rows it has.
        rows: i64,
    },
    /// The checkpoint that was asked for is not there.
    #[error("job `{job}` has no checkpoint {id}")]
    NoSuchCheckpoint {
        /// The job.
        job: String,
        /// The number.
        id: u64,
    },
    /// It cannot be read.
    #[error("checkpoint {id} of job `{job}`: {reason}; {}", offered(*previous_good))]
    Unreadable {
        /// The job.
        job: String,
        /// The checkpoint's number.
        id: u64,
        /// What is wrong with it.
        reason: FormatError,
        /// The newest one before it that can be read.
        previous_good: Option<u64>,
    },
    /// It is of another topic.
    #[error("the checkpoint is of topic `{found}`, and its offsets mean nothing on `{topic}`")]
    OtherTopic {
        /// The job's topic.
        topic: String,
        /// The checkpoint's.
        found: String,
    },
    /// The topic does not hold what the checkpoint says was read.
    #[error(
        "topic `{topic}` is not the one that was read: partition {partition} {found}; empty the tables \
         to begin anew"
    )]
    OtherRecords {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// What was found and what was expected, in words of your own: the two offsets where they
        /// do not fit, [`Fingerprint::text`] of both records where these differ.
        found: String,
    },
    /// Records that were never read are gone.
    #[error(
        "topic `{topic}`, partition {partition}: the next record is at offset {next_offset}, but the \
         first that is still there is at {first}"
    )]
    Gone {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// Where the checkpoint would go on.
        next_offset: i64,
        /// The first record that is there.
        first: i64,
    },
    /// The database refused, or is gone.
    #[error("the database: {}", lab02::table::in_words(.0))]
    Database(#[from] tokio_postgres::Error),
}
// ANCHOR_END: recovery_error

fn offered(previous_good: Option<u64>) -> String {
    match previous_good {
        Some(id) => format!("checkpoint {id} before it is good"),
        None => "there is no good one before it".to_owned(),
    }
}

/// Which of a job's checkpoints is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The newest.
    Latest,
    /// The one with this number.
    Id(u64),
}

/// Loads a checkpoint of a job; `None` when the newest is asked for and the job has none.
///
/// # Errors
/// - [`RecoveryError::Unreadable`] when it is damaged or was written by a later program. No other one
///   is taken in its place without being asked for: what was given out since would be given out again.
/// - [`RecoveryError::NoSuchCheckpoint`] when the one that is asked for is not there, also where the
///   job has none at all.
/// - [`RecoveryError::Database`].
pub async fn load(
    database: &Client,
    job: &str,
    which: Which,
) -> Result<Option<Checkpoint>, RecoveryError> {
    use crate::checkpoint::decode;
    use crate::store::stored;

    let mut newest_first = stored(database, job).await?.into_iter();
    let wanted = match which {
        Which::Latest => newest_first.next(),
        Which::Id(id) => {
            let found = newest_first.find(|(stored, _)| *stored == id);
            let none = || RecoveryError::NoSuchCheckpoint { job: job.to_owned(), id };
            Some(found.ok_or_else(none)?)
        }
    };
    let Some((id, body)) = wanted else { return Ok(None) };
    decode(&body).map(Some).map_err(|reason| RecoveryError::Unreadable {
        job: job.to_owned(),
        id,
        reason,
        previous_good: newest_first.find(|(_, body)| decode(body).is_ok()).map(|(id, _)| id),
    })
}

/// Given: whether a job without a checkpoint can begin at the first record. Where it has come to have
/// one meanwhile, another instance is at work, and the first write finds that out.
///
/// # Errors
/// [`RecoveryError::FullTable`], [`RecoveryError::Database`].
pub async fn check_tables_are_empty(database: &Client, job: &str) -> Result<(), RecoveryError> {
    for table in [RESULTS, DROPPED, DEAD_LETTERS] {
        let count = format!(
            "SELECT count(*) FROM {table} WHERE NOT EXISTS (SELECT FROM checkpoints WHERE job = $1)"
        );
        let rows = database.query_one(&count, &[&job]).await?.get(0);
        if rows > 0 {
            return Err(RecoveryError::FullTable { job: job.to_owned(), table, rows });
        }
    }
    Ok(())
}

/// Where each partition of the topic is read on: at the checkpoint's next offset, or, where the
/// partition was added since, at its first record.
///
/// # Errors
/// - [`RecoveryError::OtherTopic`].
/// - [`RecoveryError::OtherRecords`] when a partition is missing, or ends before the place where it
///   was read to: the topic was made anew.
/// - [`RecoveryError::Gone`] when records between are no longer there.
pub fn start_offsets(
    checkpoint: &Checkpoint,
    topic: &str,
    bounds: &BTreeMap<i32, Bounds>,
) -> Result<BTreeMap<i32, i64>, RecoveryError> {
    if checkpoint.topic != topic {
        let (topic, found) = (topic.to_owned(), checkpoint.topic.clone());
        return Err(RecoveryError::OtherTopic { topic, found });
    }
    let mut offsets: BTreeMap<i32, i64> =
        bounds.iter().map(|(partition, bounds)| (*partition, bounds.first)).collect();
    for saved in &checkpoint.partitions {
        let (partition, next_offset) = (saved.partition, saved.next_offset);
        let other = |found: String| RecoveryError::OtherRecords {
            topic: topic.to_owned(),
            partition,
            found,
        };
        let Some(Bounds { first, end }) = bounds.get(&partition).copied() else {
            return Err(other("is missing".to_owned()));
        };
        if next_offset > end {
            let found = format!("ends at offset {end}, and was read to {next_offset}");
            return Err(other(found));
        }
        if next_offset < first {
            let topic = topic.to_owned();
            return Err(RecoveryError::Gone { topic, partition, next_offset, first });
        }
        offsets.insert(partition, next_offset);
    }
    Ok(offsets)
}

/// Compares the last processed record of each partition with the one that lies at its place now.
/// `found` holds those that are still there: retention may have taken others, which says nothing.
///
/// # Errors
/// [`RecoveryError::OtherRecords`] for the first that is another one: the topic was made anew, and its
/// offsets fit by chance.
pub fn check_records(
    checkpoint: &Checkpoint,
    found: &BTreeMap<i32, Fingerprint>,
) -> Result<(), RecoveryError> {
    for saved in &checkpoint.partitions {
        let Some(expected) = saved.last_record else { continue };
        let Some(found) = found.get(&saved.partition) else { continue };
        if *found != expected {
            return Err(RecoveryError::OtherRecords {
                topic: checkpoint.topic.clone(),
                partition: saved.partition,
                found: format!("has {} where {} was read", found.text(), expected.text()),
            });
        }
    }
    Ok(())
}

impl Fingerprint {
    /// Given: the record, in words.
    pub fn text(&self) -> String {
        let Fingerprint { offset, timestamp_ms, payload_crc32 } = self;
        let timestamp = utc::format(*timestamp_ms);
        format!("at offset {offset} a record of {timestamp} with check sum {payload_crc32:08x}")
    }
}
