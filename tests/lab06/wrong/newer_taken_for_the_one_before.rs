//! title: The newest good checkpoint is named, though it came later
//! file: recovery.rs
//! caught by: step3_recovery::a_newer_checkpoint_is_none_to_go_back_to
//!
//! Mostly the newest is the one that is loaded, so the first good one of the list is one before it. Who asks
//! for an older one is sent forward, to the state that was to be undone.

pub async fn load(
    database: &Client,
    job: &str,
    which: Which,
) -> Result<Option<Checkpoint>, RecoveryError> {
    use crate::checkpoint::decode;
    use crate::store::stored;

    let newest_first = stored(database, job).await?;
    let wanted = match which {
        Which::Latest => newest_first.first(),
        Which::Id(id) => {
            let found = newest_first.iter().find(|(stored, _)| *stored == id);
            let none = || RecoveryError::NoSuchCheckpoint { job: job.to_owned(), id };
            Some(found.ok_or_else(none)?)
        }
    };
    let Some((id, body)) = wanted else { return Ok(None) };
    decode(body).map(Some).map_err(|reason| RecoveryError::Unreadable {
        job: job.to_owned(),
        id: *id,
        reason,
        previous_good: newest_first.iter().find(|(_, body)| decode(body).is_ok()).map(|(id, _)| *id),
    })
}
