//! title: Only an older epoch is refused
//! file: fencing.rs
//! caught by: step6_fencing::an_epoch_that_was_never_given_out_may_not_write_either
//!
//! The zombie is the one with the smaller number. And who has a larger one than was ever given out has
//! made it up, or speaks to a database that was set back.

pub async fn check(database: &Client, job: &str, ours: Epoch) -> Result<(), FencingError> {
    const NEWEST: &str = "SELECT epoch FROM job_epochs WHERE job = $1 FOR UPDATE";
    let newest = Epoch(database.query_one(NEWEST, &[&job]).await?.get(0));
    if newest <= ours {
        return Ok(());
    }
    Err(FencingError::Fenced { job: job.to_owned(), ours, newest })
}
