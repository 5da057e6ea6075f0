//! title: A statement for each departure
//! file: sink.rs
//! caught by: step4_sink::a_write_is_all_or_nothing
//!
//! One statement may not change a row twice, and a batch may hold a correction beside what it corrects. With a statement
//! each there is no such trouble, and no "all or none" either: what is refused in the middle leaves the first half.

pub async fn write_departures(
    client: &Client,
    topic: &str,
    rows: &[Row],
) -> Result<u64, SinkError> {
    let set: Vec<String> =
        COLUMNS.iter().map(|(name, _)| format!("{name} = excluded.{name}")).collect();
    let statement = format!(
        "INSERT INTO {DEPARTURES} ({}) \
         {SELECT_ROWS} \
         ON CONFLICT (carrier, flight, origin, scheduled) DO UPDATE SET {} \
         WHERE {DEPARTURES}.record_offset < excluded.record_offset",
        columns(),
        set.join(", ")
    );
    let mut changed = 0;
    for row in rows {
        let row = std::slice::from_ref(row);
        changed += execute(client, DEPARTURES, &statement, topic, row).await?;
    }
    Ok(changed)
}
