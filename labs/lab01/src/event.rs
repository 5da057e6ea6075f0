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
    // Refuse what `decode` would refuse; then one line of JSON. Which of the two can fail?
    todo!("step 1: write {} {} as one line of JSON", flight.carrier, flight.flight)
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
    // 1. Refuse a payload of more than MAX_EVENT_BYTES before you parse it.
    // 2. Parse it, and know the field that was wrong: serde_json gives line and column, the crate
    //    serde_path_to_error adds the path. Does your parser look behind the closing brace?
    // 3. serde reads a struct from an object, and from what else?
    // 4. A number can have the right type and be impossible: `flight.check()`.
    todo!("step 1: read one flight from {} bytes of JSON", payload.len())
}
