//! title: An array of values is taken for an event
//! file: event.rs
//! caught by: step1_event::an_array_is_refused
//!
//! serde reads a struct from an object and from an array alike. Whoever leaves the form to serde
//! accepts payloads that break as soon as somebody adds a field in the middle.
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
    flight.check()?;
    Ok(flight)
}
