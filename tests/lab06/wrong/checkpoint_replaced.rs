//! title: A checkpoint whose number is taken is replaced
//! file: store.rs
//! caught by: step2_store::a_checkpoint_is_never_replaced
//!
//! An upsert makes the write repeatable, as in lab 03. But who writes a number twice is not one job that
//! repeats itself: it is two jobs, and each believes to be alone.

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
        VALUES ($1::text, $2::bigint, $3::bytea)
        ON CONFLICT (job, id) DO UPDATE SET body = excluded.body";
    const FORGET: &str = "
        DELETE FROM checkpoints WHERE job = $1 AND id NOT IN
            (SELECT id FROM checkpoints WHERE job = $1 ORDER BY id DESC LIMIT $2)";

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
    let kept = KEPT_CHECKPOINTS as i64;
    database.execute(FORGET, &[&writer.job, &kept]).await.map_err(not_written)?;
    Ok(())
}
