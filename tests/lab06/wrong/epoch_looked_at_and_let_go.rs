//! title: The epoch is looked at and not held
//! file: fencing.rs
//! caught by: step6_fencing::whoever_wants_the_next_epoch_waits_for_a_transaction_that_has_looked
//!
//! The look is inside the transaction, so it belongs to it. It does, and yet nobody is kept from changing
//! the row between the look and the commit.

pub async fn check(database: &Client, job: &str, ours: Epoch) -> Result<(), FencingError> {
    const NEWEST: &str = "SELECT epoch FROM job_epochs WHERE job = $1";
    let newest = Epoch(database.query_one(NEWEST, &[&job]).await?.get(0));
    if newest == ours {
        return Ok(());
    }
    Err(FencingError::Fenced { job: job.to_owned(), ours, newest })
}
