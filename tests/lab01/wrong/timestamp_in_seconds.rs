//! title: The timestamp counts seconds
//! file: record.rs
//! caught by: step2_record::the_timestamp_is_when_the_aircraft_really_left
//!
//! Unix time is in seconds nearly everywhere. Kafka counts milliseconds; to it this flight left on
//! 16 January 1970, and any topic with a limited retention deletes it at once.

pub fn to_record(flight: &Flight) -> Result<FlightRecord, EventError> {
    let header = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    Ok(FlightRecord {
        key: flight.origin.clone(),
        timestamp_ms: flight.departed_ms() / 1000,
        headers: vec![header(CONTENT_TYPE), header(SCHEMA)],
        payload: crate::event::encode(flight)?,
    })
}
