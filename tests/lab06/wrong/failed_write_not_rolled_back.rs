//! title: After a failed write the transaction stays open
//! file: store.rs
//! caught by: step2_store::a_part_that_fails_leaves_nothing_of_the_others
//!
//! The statement has failed, and with it the transaction. That is so, but it has not ended: it holds its
//! locks, and refuses every further statement, until somebody says ROLLBACK.

pub async fn write(
    database: &Client,
    writer: &Writer,
    output: &Output,
    checkpoint: &Checkpoint,
) -> Result<(), StoreError> {
    let id = checkpoint.id;
    let not_written = |source| StoreError::NotWritten { id, source };
    database.batch_execute("BEGIN").await.map_err(not_written)?;
    let written = write_all(database, writer, output, checkpoint).await;
    written
}
