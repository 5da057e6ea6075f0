//! title: The timestamp of the record is the slot
//! file: record.rs
//! caught by: step2_record::the_timestamp_is_when_the_aircraft_really_left
//!
//! The slot is the event time, and a record has a timestamp: so one is put into the other. Then
//! nothing says any more when the record came, and a late record looks like one that is on time.

pub fn to_record(flight: &Flight) -> Result<FlightRecord, EventError> {
    let header = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    Ok(FlightRecord {
        key: flight.origin.clone(),
        timestamp_ms: flight.scheduled_ms,
        headers: vec![header(CONTENT_TYPE), header(SCHEMA)],
        payload: crate::event::encode(flight)?,
    })
}
