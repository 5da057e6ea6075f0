//! title: A transaction that nobody commits
//! file: tables.rs
//! caught by: step7_tables::a_batch_is_seen_whole_by_others
//!
//! Every statement succeeds and says how many rows it wrote. The transaction is dropped at the end of
//! the function, and that undoes them.

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
    Ok(written)
}
