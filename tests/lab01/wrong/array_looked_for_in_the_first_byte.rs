//! title: The first byte says whether it is an array
//! file: event.rs
//! caught by: step1_event::an_array_is_refused
//!
//! An array begins with a bracket, so the first byte is looked at. JSON lets white space stand before a
//! value: one space, and serde reads a flight from the array all the same.

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
    if payload.first() == Some(&b'[') {
        type Object = serde_json::Map<String, serde_json::Value>;
        let array = serde_json::from_slice::<Object>(payload).expect_err("an array is no object");
        return Err(malformed(".".to_owned(), &array));
    }
    let mut json = serde_json::Deserializer::from_slice(payload);
    let flight: Flight = serde_path_to_error::deserialize(&mut json)
        .map_err(|error| malformed(error.path().to_string(), error.inner()))?;
    json.end().map_err(|error| malformed(".".to_owned(), &error))?;
    flight.check()?;
    Ok(flight)
}
