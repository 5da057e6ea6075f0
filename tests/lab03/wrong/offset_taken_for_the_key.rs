//! title: The offset alone is taken for the key
//! file: sink.rs
//! caught by: step4_sink::an_offset_counts_within_its_topic_and_partition
//!
//! An offset numbers the records, so it seems to be their name. Each partition counts from 0:
//! record 41 of the second partition is taken for that of the first, and left out.

pub async fn write_records(client: &Client, topic: &str, rows: &[Row]) -> Result<u64, SinkError> {
    let statement = format!(
        "INSERT INTO {PROCESSED_EVENTS} ({}) \
         SELECT DISTINCT ON (record_offset) * FROM ({SELECT_ROWS}) AS written \
         WHERE record_offset NOT IN (SELECT record_offset FROM {PROCESSED_EVENTS})",
        columns()
    );
    execute(client, PROCESSED_EVENTS, &statement, topic, rows).await
}
