//! title: The results are written before the transaction begins
//! file: store.rs
//! caught by: step2_store::nothing_is_seen_before_the_commit_and_everything_after_it
//!
//! The transaction is for the checkpoint; the results are upserts, and upserts may be repeated. What is
//! seen is then ahead of what a restart knows, and dropped records are counted in the table that in the
//! next run, with another interleaving, are in a window.

pub async fn write(
    database: &Client,
    writer: &Writer,
    output: &Output,
    checkpoint: &Checkpoint,
) -> Result<(), StoreError> {
    let id = checkpoint.id;
    let not_written = |source| StoreError::NotWritten { id, source };
    lab05::tables::write_results(database, &output.results).await?;
    database.batch_execute("BEGIN").await.map_err(not_written)?;
    let written = write_all(database, writer, output, checkpoint).await;
    if written.is_err() {
        // Where the connection is gone, so is the transaction.
        let _ = database.batch_execute("ROLLBACK").await;
    }
    written
}
