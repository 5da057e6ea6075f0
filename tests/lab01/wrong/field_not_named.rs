//! title: The error does not say which field is wrong
//! file: event.rs
//! caught by: step1_event::a_value_of_another_type_is_refused
//!
//! `serde_json::from_slice` is one line and strict enough. Its error knows line and column, but
//! not the field: `invalid type: null, expected i32` at column 143 of a payload of one line.

pub fn decode(payload: &[u8]) -> Result<Flight, EventError> {
    if payload.len() > MAX_EVENT_BYTES {
        return Err(EventError::TooLong { found_bytes: payload.len() });
    }
    let flight: Flight =
        serde_json::from_slice(payload).map_err(|error| EventError::Malformed {
            line: error.line(),
            column: error.column(),
            field: ".".to_owned(),
            reason: error.to_string(),
        })?;
    flight.check()?;
    Ok(flight)
}
