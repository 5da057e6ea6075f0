//! title: The length is looked at when the payload has been parsed
//! file: event.rs
//! caught by: step1_event::a_payload_over_the_limit_is_not_even_parsed
//!
//! The limit stands with the other checks of the flight, at the end. By then 100 MB were parsed,
//! and whoever sends them decides how long this reader is busy.

pub fn decode(payload: &[u8]) -> Result<Flight, EventError> {
    let malformed = |field: String, error: &serde_json::Error| EventError::Malformed {
        line: error.line(),
        column: error.column(),
        field,
        reason: error.to_string(),
    };
    let mut json = serde_json::Deserializer::from_slice(payload);
    let flight: Flight = serde_path_to_error::deserialize(&mut json)
        .map_err(|error| malformed(error.path().to_string(), error.inner()))?;
    json.end().map_err(|error| malformed(".".to_owned(), &error))?;
    flight.check()?;
    if payload.len() > MAX_EVENT_BYTES {
        return Err(EventError::TooLong { found_bytes: payload.len() });
    }
    Ok(flight)
}
