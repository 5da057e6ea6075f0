//! title: The newest checkpoint that can be read is taken
//! file: recovery.rs
//! caught by: step3_recovery::a_damaged_checkpoint_is_named_with_the_good_one_before_it
//!
//! Three are kept so that one may be damaged, and the job should come up by itself. It then gives out
//! again what it has given out since, and nobody hears that a disk is dying.

pub async fn load(
    database: &Client,
    job: &str,
    which: Which,
) -> Result<Option<Checkpoint>, RecoveryError> {
    use crate::checkpoint::decode;
    use crate::store::stored;

    let mut newest_first = stored(database, job).await?.into_iter();
    let wanted = match which {
        Which::Latest => {
            let all: Vec<_> = newest_first.collect();
            let good = all.iter().position(|(_, body)| decode(body).is_ok()).unwrap_or_default();
            newest_first = all.into_iter();
            newest_first.nth(good)
        }
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
