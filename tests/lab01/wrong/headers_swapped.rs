//! title: The headers stand in another order
//! file: record.rs
//! caught by: step2_record::the_headers_name_the_format_and_then_the_schema
//!
//! Headers look like a map, and in a map the order does not matter. Kafka's are a list: names may
//! repeat, the order is kept, and the first one that a reader meets should say how to read.

pub fn to_record(flight: &Flight) -> Result<FlightRecord, EventError> {
    let header = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    Ok(FlightRecord {
        key: flight.origin.clone(),
        timestamp_ms: flight.departed_ms(),
        headers: vec![header(SCHEMA), header(CONTENT_TYPE)],
        payload: crate::event::encode(flight)?,
    })
}
