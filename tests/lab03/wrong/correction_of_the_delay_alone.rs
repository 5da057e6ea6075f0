//! title: A correction changes the delay alone
//! file: sink.rs
//! caught by: step4_sink::a_correction_is_taken_as_a_whole
//!
//! It was the delay that was corrected, in every example. When an aircraft is changed, or a flight goes
//! elsewhere, the row is made of two records: the place of the second, and the tail of the first.

pub async fn write_departures(
    client: &Client,
    topic: &str,
    rows: &[Row],
) -> Result<u64, SinkError> {
    let statement = format!(
        "INSERT INTO {DEPARTURES} ({}) \
         SELECT DISTINCT ON (carrier, flight, origin, scheduled) * FROM ({SELECT_ROWS}) AS written \
         ORDER BY carrier, flight, origin, scheduled, record_offset DESC \
         ON CONFLICT (carrier, flight, origin, scheduled) DO UPDATE \
         SET record_offset = excluded.record_offset, departed = excluded.departed, \
             delay_min = excluded.delay_min \
         WHERE {DEPARTURES}.record_offset < excluded.record_offset",
        columns()
    );
    execute(client, DEPARTURES, &statement, topic, rows).await
}
