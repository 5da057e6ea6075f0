//! title: The right type is taken for the right value
//! file: event.rs
//! caught by: step1_event::a_value_that_no_flight_has_is_refused
//!
//! The types of a flight are checked by serde, so it seems that all is checked. A flight number
//! of 0 or a slot of 1913 has the right type as well.

pub fn decode(payload: &[u8]) -> Result<Flight, EventError> {
    if payload.len() > MAX_EVENT_BYTES {
        return Err(EventError::TooLong { found_bytes: payload.len() });
    }
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
    Ok(flight)
}
