//! Step 1: a flight as strict JSON.

use flights::{FieldError, Flight};
use thiserror::Error;

/// The longest payload that is read at all. The longest real event has 147 bytes.
pub const MAX_EVENT_BYTES: usize = 64 * 1024;

// ANCHOR: event_error
/// Why a payload is no flight.
#[derive(Debug, Error)]
pub enum EventError {
    /// The payload is too long to be worth reading.
    #[error("event of {found_bytes} bytes, expected at most {MAX_EVENT_BYTES}")]
    TooLong {
        /// The length of the payload.
        found_bytes: usize,
    },
    /// The payload is not exactly one JSON object with exactly the fields of a flight.
    #[error("event {}: {reason}", what_is_wrong(field))]
    Malformed {
        /// The line in the payload, from 1.
        line: usize,
        /// The column in that line, in bytes, from 1. Where the payload ends too soon, that of its last
        /// byte; 0 where that line is empty.
        column: usize,
        /// The field, or `.` for the event as a whole.
        field: String,
        /// What was expected and what was found, in the words of the parser, which end with the
        /// line and the column.
        reason: String,
    },
    /// Every field could be read, but one holds what no flight can have.
    #[error("event with an impossible {0}")]
    Impossible(#[from] FieldError),
}
// ANCHOR_END: event_error

fn what_is_wrong(field: &str) -> String {
    match field {
        "." => "that cannot be read".to_owned(),
        _ => format!("with a wrong field `{field}`"),
    }
}

/// Writes a flight as one JSON object on one line, its fields in the order of the struct.
///
/// # Errors
/// [`EventError::Impossible`] for a flight that [`decode`] would refuse: what cannot be read back
/// must never reach a topic.
pub fn encode(flight: &Flight) -> Result<Vec<u8>, EventError> {
    flight.check()?;
    Ok(serde_json::to_vec(flight).expect("a flight holds only text and numbers"))
}

/// Reads one flight from a payload, strictly: nothing missing, nothing unknown, nothing after it.
///
/// # Errors
/// - [`EventError::TooLong`] before a single byte is parsed.
/// - [`EventError::Malformed`] for anything but one JSON object with exactly the fields of a
///   flight, each of its type; it names line, column and field. An array of the values is no object,
///   although serde reads a struct from either.
/// - [`EventError::Impossible`] for a field outside of its range.
pub fn decode(payload: &[u8]) -> Result<Flight, EventError> {
    if payload.len() > MAX_EVENT_BYTES {
        return Err(EventError::TooLong { found_bytes: payload.len() });
    }
    type Object = serde_json::Map<String, serde_json::Value>;
    let malformed = |field: String, error: &serde_json::Error| EventError::Malformed {
        line: error.line(),
        column: error.column(),
        field,
        reason: error.to_string(),
    };
    // serde would also take an array with the fields' values in order.
    if payload.trim_ascii_start().first() == Some(&b'[') {
        let array = serde_json::from_slice::<Object>(payload).expect_err("an array is no object");
        return Err(malformed(".".to_owned(), &array));
    }
    let mut json = serde_json::Deserializer::from_slice(payload);
    let flight: Flight = serde_path_to_error::deserialize(&mut json)
        .map_err(|error| malformed(error.path().to_string(), error.inner()))?;
    // A parser stops where its value ends. A second record behind the first would be lost.
    json.end().map_err(|error| malformed(".".to_owned(), &error))?;
    flight.check()?;
    Ok(flight)
}
