//! title: A look that fails is a newer instance
//! file: store.rs
//! caught by: step6_fencing::a_database_that_refuses_the_look_is_no_newer_instance
//!
//! The error of `check` becomes one of the store's by itself, and the question mark is all it takes. But `check`
//! fails in two ways. Who is told of a second instance looks for it, while the database is gone.

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
    const FORGET: &str = "
        DELETE FROM checkpoints WHERE job = $1 AND id NOT IN
            (SELECT id FROM checkpoints WHERE job = $1 ORDER BY id DESC LIMIT $2)";

    let Checkpoint { id, topic, .. } = checkpoint;
    let not_written = |source| StoreError::NotWritten { id: *id, source };
    if let Some(epoch) = writer.epoch {
        check(database, &writer.job, epoch).await?;
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
