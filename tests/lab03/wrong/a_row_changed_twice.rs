//! title: A flight and its correction stand in one write
//! file: sink.rs
//! caught by: step4_sink::a_flight_and_its_correction_fit_into_one_write
//!
//! The upsert is right, and every test with one record a write says so. In a batch the same
//! flight comes twice, and PostgreSQL refuses a statement that would change one row a second
//! time.

pub async fn write_departures(
    client: &Client,
    topic: &str,
    rows: &[Row],
) -> Result<u64, SinkError> {
    let set: Vec<String> =
        COLUMNS.iter().map(|(name, _)| format!("{name} = excluded.{name}")).collect();
    let set = set.join(", ");
    let statement = format!(
        "INSERT INTO {DEPARTURES} ({}) \
         {SELECT_ROWS} \
         ON CONFLICT (carrier, flight, origin, scheduled) DO UPDATE SET {set} \
         WHERE {DEPARTURES}.record_offset < excluded.record_offset",
        columns()
    );
    execute(client, DEPARTURES, &statement, topic, rows).await
}
