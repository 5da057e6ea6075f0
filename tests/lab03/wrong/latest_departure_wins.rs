//! title: The record with the latest departure wins
//! file: sink.rs
//! caught by: step4_sink::a_departure_is_one_row_and_the_last_record_of_it_counts
//!
//! The later time looks like the later word, and corrections mostly make a delay longer. The one that says
//! that the aircraft left earlier after all is never taken.

pub async fn write_departures(
    client: &Client,
    topic: &str,
    rows: &[Row],
) -> Result<u64, SinkError> {
    let set: Vec<String> =
        COLUMNS.iter().map(|(name, _)| format!("{name} = excluded.{name}")).collect();
    let statement = format!(
        "INSERT INTO {DEPARTURES} ({}) \
         SELECT DISTINCT ON (carrier, flight, origin, scheduled) * FROM ({SELECT_ROWS}) AS written \
         ORDER BY carrier, flight, origin, scheduled, departed DESC \
         ON CONFLICT (carrier, flight, origin, scheduled) DO UPDATE SET {} \
         WHERE {DEPARTURES}.departed < excluded.departed",
        columns(),
        set.join(", ")
    );
    execute(client, DEPARTURES, &statement, topic, rows).await
}
