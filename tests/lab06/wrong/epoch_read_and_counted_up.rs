//! title: The next epoch is read here and written there
//! file: fencing.rs
//! caught by: step6_fencing::of_many_who_start_at_once_each_has_an_epoch_of_its_own
//!
//! Read the largest number, add one, write it. Two that start at once read the same number, and both
//! are the newest.

pub async fn claim(database: &Client, job: &str) -> Result<Epoch, FencingError> {
    const NEWEST: &str = "SELECT coalesce(max(epoch), 0) FROM job_epochs WHERE job = $1";
    const WRITE: &str = "
        INSERT INTO job_epochs (job, epoch) VALUES ($1, $2)
        ON CONFLICT (job) DO UPDATE SET epoch = excluded.epoch";
    let next = database.query_one(NEWEST, &[&job]).await?.get::<_, i64>(0) + 1;
    database.execute(WRITE, &[&job, &next]).await?;
    Ok(Epoch(next))
}
