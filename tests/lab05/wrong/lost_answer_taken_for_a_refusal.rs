//! title: A commit without an answer is told as a refusal
//! file: tables.rs
//! caught by: step7_tables::a_commit_without_an_answer_is_not_a_refusal
//!
//! All three calls go to the database, so all three fail alike. Who reads that the database has refused writes
//! the batch into another table, or counts it as lost. It may be there.

pub async fn write(
    database: &mut Client,
    topic: &str,
    results: &[WindowResult],
    dropped: &[DroppedRecord],
) -> Result<Written, TableError> {
    if results.is_empty() && dropped.is_empty() {
        return Ok(Written::default());
    }
    let failed = |source| TableError::Database { table: RESULTS, source };
    let transaction = database.transaction().await.map_err(failed)?;
    let written = Written {
        results: write_results(&transaction, results).await?,
        dropped: write_dropped(&transaction, topic, dropped).await?,
    };
    transaction.commit().await.map_err(failed)?;
    Ok(written)
}
