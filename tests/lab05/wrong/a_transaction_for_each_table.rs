//! title: A transaction for each table
//! file: tables.rs
//! caught by: step7_tables::both_tables_get_a_batch_or_neither_does
//!
//! Each statement succeeds as a whole, so each table is right. Together they are not: a crash between
//! the two leaves results whose dropped records nobody knows of.

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
    let results = write_results(&transaction, results).await?;
    transaction.commit().await.map_err(TableError::NotConfirmed)?;
    let transaction = database.transaction().await.map_err(failed)?;
    let dropped = write_dropped(&transaction, topic, dropped).await?;
    transaction.commit().await.map_err(TableError::NotConfirmed)?;
    Ok(Written { results, dropped })
}
