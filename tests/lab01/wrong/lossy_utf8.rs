//! title: Bytes that are no UTF-8 are mended before they are parsed
//! file: event.rs
//! caught by: step1_event::bytes_that_are_not_utf8_are_refused
//!
//! `from_utf8_lossy` makes text of any bytes, so that there is one error less to think of. It puts
//! a letter of its own in the place of what was sent; then the error speaks of that letter, and
//! where the field takes any text there is no error at all.

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
    let text = String::from_utf8_lossy(payload);
    let mut json = serde_json::Deserializer::from_str(&text);
    let flight: Flight = serde_path_to_error::deserialize(&mut json)
        .map_err(|error| malformed(error.path().to_string(), error.inner()))?;
    json.end().map_err(|error| malformed(".".to_owned(), &error))?;
    flight.check()?;
    Ok(flight)
}
