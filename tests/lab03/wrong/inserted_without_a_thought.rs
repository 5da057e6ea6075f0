//! title: The insert does not expect the row to be there
//! file: sink.rs
//! caught by: step4_sink::a_record_that_is_written_again_changes_nothing
//!
//! The table has a primary key, so nothing can be there twice. True, and after a restart the
//! first repeated record is an error: the job stops at it, is restarted, and stops at it again.

pub async fn write_records(client: &Client, topic: &str, rows: &[Row]) -> Result<u64, SinkError> {
    let statement = format!("INSERT INTO {PROCESSED_EVENTS} ({}) {SELECT_ROWS}", columns());
    execute(client, PROCESSED_EVENTS, &statement, topic, rows).await
}
