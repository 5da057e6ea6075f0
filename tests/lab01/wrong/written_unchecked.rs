//! title: The writer sends what its own reader refuses
//! file: event.rs
//! caught by: step1_event::an_impossible_flight_is_not_written
//!
//! Checking is the reader's work, it seems: the writer has a `Flight`, and a `Flight` can always
//! be written. But a record on a topic cannot be taken back, and every reader now stumbles on it.

pub fn encode(flight: &Flight) -> Result<Vec<u8>, EventError> {
    Ok(serde_json::to_vec(flight).expect("a flight holds only text and numbers"))
}
