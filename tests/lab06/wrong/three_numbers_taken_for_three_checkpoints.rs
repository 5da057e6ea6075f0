//! title: What is three numbers older goes
//! file: store.rs
//! caught by: step2_store::of_a_job_the_newest_three_checkpoints_are_kept
//!
//! Numbers grow by one, so three numbers are three checkpoints, until somebody goes back to an older one. Those
//! behind it are deleted then, and the next number leaves a gap: one good checkpoint is left, and none before it.

pub async fn write_all(
    database: &Client,
    writer: &Writer,
    output: &Output,
    checkpoint: &Checkpoint,
) -> Result<(), StoreError> {
    use crate::checkpoint::encode;
    use crate::fencing::check;
    use lab05::tables::{write_dropped, write_results};

    const KEEP: &str = "
        INSERT INTO checkpoints (job, id, body)
        SELECT $1::text, $2::bigint, $3::bytea
        WHERE NOT EXISTS (SELECT FROM checkpoints WHERE job = $1 AND id >= $2)
        ON CONFLICT (job, id) DO NOTHING";
    const FORGET: &str = "DELETE FROM checkpoints WHERE job = $1 AND id <= $2";

    let Checkpoint { id, topic, .. } = checkpoint;
    let not_written = |source| StoreError::NotWritten { id: *id, source };
    if let Some(epoch) = writer.epoch {
        check(database, &writer.job, epoch).await.map_err(|error| match error {
            FencingError::Database(source) => not_written(source),
            fenced => StoreError::Fenced(fenced),
        })?;
    }
    write_results(database, &output.results).await?;
    write_dropped(database, topic, &output.dropped).await?;
    write_unreadable(database, topic, &output.unreadable).await.map_err(not_written)?;
    let number = i64::try_from(*id).expect("a job makes fewer checkpoints than that");
    let inserted = database.execute(KEEP, &[&writer.job, &number, &encode(checkpoint)]).await;
    if inserted.map_err(not_written)? == 0 {
        return Err(StoreError::AlreadyThere { job: writer.job.clone(), id: *id });
    }
    let too_old = number - KEPT_CHECKPOINTS as i64;
    database.execute(FORGET, &[&writer.job, &too_old]).await.map_err(not_written)?;
    Ok(())
}
