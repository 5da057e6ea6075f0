//! title: The first record of a departure is kept
//! file: sink.rs
//! caught by: step4_sink::a_departure_is_one_row_and_the_last_record_of_it_counts
//!
//! `DO NOTHING` made repeats harmless in the other table. Here a record of a flight that is there
//! already may be its correction, and the correction is thrown away.

pub async fn write_departures(
    client: &Client,
    topic: &str,
    rows: &[Row],
) -> Result<u64, SinkError> {
    let statement = format!(
        "INSERT INTO {DEPARTURES} ({}) \
         SELECT DISTINCT ON (carrier, flight, origin, scheduled) * FROM ({SELECT_ROWS}) AS written \
         ORDER BY carrier, flight, origin, scheduled, record_offset DESC \
         ON CONFLICT (carrier, flight, origin, scheduled) DO NOTHING",
        columns()
    );
    execute(client, DEPARTURES, &statement, topic, rows).await
}
