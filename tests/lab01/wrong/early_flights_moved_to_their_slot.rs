//! title: A flight that left early is moved to its slot
//! file: record.rs
//! caught by: step2_record::an_early_flight_has_a_timestamp_before_its_slot
//!
//! A negative delay looks like a mistake in the data, so it is cut off at 0. More than half of
//! all flights leave before their slot; it is the data that is right.

pub fn to_record(flight: &Flight) -> Result<FlightRecord, EventError> {
    let header = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    Ok(FlightRecord {
        key: flight.origin.clone(),
        timestamp_ms: flight.departed_ms().max(flight.scheduled_ms),
        headers: vec![header(CONTENT_TYPE), header(SCHEMA)],
        payload: crate::event::encode(flight)?,
    })
}
