//! title: The rows are written one by one
//! file: sink.rs
//! caught by: step4_sink::a_write_is_all_or_nothing
//!
//! A loop over the rows is easy to read. Each statement is a transaction of its own: when one
//! fails or the process dies, half of a turn is in the table, and only a key that makes repeats
//! harmless saves what follows.

pub async fn write_records(client: &Client, topic: &str, rows: &[Row]) -> Result<u64, SinkError> {
    let statement = format!(
        "INSERT INTO {PROCESSED_EVENTS} ({}) {SELECT_ROWS} \
         ON CONFLICT (topic, partition, record_offset) DO NOTHING",
        columns()
    );
    let mut new_rows = 0;
    for row in rows {
        let row = std::slice::from_ref(row);
        new_rows += execute(client, PROCESSED_EVENTS, &statement, topic, row).await?;
    }
    Ok(new_rows)
}
