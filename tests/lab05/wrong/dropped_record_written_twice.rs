//! title: A dropped record is inserted without a thought
//! file: tables.rs
//! caught by: step7_tables::the_same_batch_twice_changes_nothing
//!
//! A record is read once, so it is dropped once. Until a batch whose fate nobody knows is written again:
//! then it is refused for ever.

pub async fn write_dropped(
    transaction: &Transaction<'_>,
    topic: &str,
    dropped: &[DroppedRecord],
) -> Result<u64, TableError> {
    const INSERT: &str = "
        INSERT INTO dropped_records (topic, partition, record_offset, reason, sentence)
        SELECT $1::text, * FROM unnest($2::integer[], $3::bigint[], $4::text[], $5::text[])";

    if dropped.is_empty() {
        return Ok(0);
    }
    transaction
        .execute(
            INSERT,
            &[
                &topic,
                &column(dropped, |record| record.partition),
                &column(dropped, |record| record.offset),
                &column(dropped, |record| kind(&record.reason)),
                &column(dropped, |record| record.reason.to_string()),
            ],
        )
        .await
        .map_err(|source| TableError::Database { table: DROPPED, source })
}
