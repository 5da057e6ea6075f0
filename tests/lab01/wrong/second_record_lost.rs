//! title: Nobody looks behind the first event of a payload
//! file: event.rs
//! caught by: step1_event::a_second_record_in_a_payload_is_refused
//!
//! A `Deserializer` reads one value and stops, because a stream may hold more of them. A writer
//! that joins two events in one payload loses the second one, and no error says so.

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
    flight.check()?;
    Ok(flight)
}
