//! title: A named checkpoint that is missing is no checkpoint
//! file: recovery.rs
//! caught by: step3_recovery::the_newest_checkpoint_of_the_job_is_loaded
//!
//! `None` is right where the newest is asked for, and both questions have one way out. The job then reads from
//! the first record, into tables that hold the results of another start.

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
        Which::Id(id) => newest_first.find(|(stored, _)| *stored == id),
    };
    let Some((id, body)) = wanted else { return Ok(None) };
    decode(&body).map(Some).map_err(|reason| RecoveryError::Unreadable {
        job: job.to_owned(),
        id,
        reason,
        previous_good: newest_first.find(|(_, body)| decode(body).is_ok()).map(|(id, _)| id),
    })
}
