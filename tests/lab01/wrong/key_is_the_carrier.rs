//! title: The key is the airline
//! file: record.rs
//! caught by: step2_record::the_key_is_the_airport_of_departure
//!
//! A flight belongs to its airline, and the airline's code stands first in the event. But the
//! board shows an airport; with this key its flights lie on many partitions, in no common order.

pub fn to_record(flight: &Flight) -> Result<FlightRecord, EventError> {
    let header = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    Ok(FlightRecord {
        key: flight.carrier.clone(),
        timestamp_ms: flight.departed_ms(),
        headers: vec![header(CONTENT_TYPE), header(SCHEMA)],
        payload: crate::event::encode(flight)?,
    })
}
