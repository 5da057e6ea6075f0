//! Step 6: two instances of one job, of which one only seemed dead.
//!
//! Whoever starts a job takes a new number, its *epoch*. The number is looked at inside each
//! transaction, so no time passes between the look and the commit.

use thiserror::Error;
use tokio_postgres::Client;

/// The number of a job's start: 1 for the first, one more each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Epoch(pub i64);

/// Why a job may not write.
#[derive(Debug, Error)]
pub enum FencingError {
    /// Another instance was started since. Nothing of this transaction is written.
    #[error(
        "job `{job}` was started again: this instance has epoch {}, the newest is {}; it stops",
        ours.0,
        newest.0
    )]
    Fenced {
        /// The job.
        job: String,
        /// This instance's epoch.
        ours: Epoch,
        /// The newest.
        newest: Epoch,
    },
    /// The database refused, or is gone.
    #[error("the database: {}", lab02::table::in_words(.0))]
    Database(#[from] tokio_postgres::Error),
}

/// Takes the next epoch of a job. From now on no instance with an earlier one can write.
///
/// # Errors
/// When the database refuses, or is gone.
pub async fn claim(database: &Client, job: &str) -> Result<Epoch, FencingError> {
    const CLAIM: &str = "
        INSERT INTO job_epochs (job, epoch) VALUES ($1, 1)
        ON CONFLICT (job) DO UPDATE SET epoch = job_epochs.epoch + 1
        RETURNING epoch";
    Ok(Epoch(database.query_one(CLAIM, &[&job]).await?.get(0)))
}

/// Sees, inside an open transaction, whether this instance is the newest, and keeps it so until the
/// transaction ends: whoever wants the next epoch waits for that.
///
/// # Errors
/// [`FencingError::Fenced`] when it is not.
pub async fn check(database: &Client, job: &str, ours: Epoch) -> Result<(), FencingError> {
    const NEWEST: &str = "SELECT epoch FROM job_epochs WHERE job = $1 FOR UPDATE";
    let newest = Epoch(database.query_one(NEWEST, &[&job]).await?.get(0));
    if newest == ours {
        return Ok(());
    }
    Err(FencingError::Fenced { job: job.to_owned(), ours, newest })
}
