//! title: The last write wins
//! file: sink.rs
//! caught by: step4_sink::a_departure_is_one_row_and_the_last_record_of_it_counts
//!
//! `DO UPDATE` is the usual upsert, and the last write is usually the last word. After a restart
//! it is not: the old record is written again, over its own correction.

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
         SELECT DISTINCT ON (carrier, flight, origin, scheduled) * FROM ({SELECT_ROWS}) AS written \
         ORDER BY carrier, flight, origin, scheduled, record_offset DESC \
         ON CONFLICT (carrier, flight, origin, scheduled) DO UPDATE SET {set}",
        columns()
    );
    execute(client, DEPARTURES, &statement, topic, rows).await
}
