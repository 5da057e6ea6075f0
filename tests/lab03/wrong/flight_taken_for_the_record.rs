//! title: The flight is taken for the record
//! file: sink.rs
//! caught by: step4_sink::two_records_of_one_flight_are_two_rows_of_processed_events
//!
//! A flight leaves once, so its second record looks like a repetition and is left out. It is a
//! correction. A table of what was read has one row a record, whatever the record says.

pub async fn write_records(client: &Client, topic: &str, rows: &[Row]) -> Result<u64, SinkError> {
    let statement = format!(
        "INSERT INTO {PROCESSED_EVENTS} ({}) \
         SELECT DISTINCT ON (carrier, flight, origin, scheduled) * FROM ({SELECT_ROWS}) AS written \
         WHERE NOT EXISTS (SELECT FROM {PROCESSED_EVENTS} AS old WHERE \
         (old.carrier, old.flight, old.origin, old.scheduled) = \
         (written.carrier, written.flight, written.origin, written.scheduled)) \
        ORDER BY carrier, flight, origin, scheduled, record_offset",
        columns()
    );
    execute(client, PROCESSED_EVENTS, &statement, topic, rows).await
}
