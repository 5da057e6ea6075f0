//! title: A missing tail number is taken for an unknown one
//! file: event.rs
//! caught by: step1_event::a_missing_field_is_refused
//!
//! serde takes a missing `Option` for `None`, so a type of one's own with `tail: Option<String>`
//! looks strict and is not. A writer that loses the field by a mistake is never found out.

pub fn decode(payload: &[u8]) -> Result<Flight, EventError> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Event {
        carrier: String,
        flight: u16,
        tail: Option<String>,
        origin: String,
        dest: String,
        distance_miles: u16,
        #[serde(with = "flights::utc::text")]
        scheduled: i64,
        delay_min: i32,
    }
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
    let event: Event = serde_path_to_error::deserialize(&mut json)
        .map_err(|error| malformed(error.path().to_string(), error.inner()))?;
    json.end().map_err(|error| malformed(".".to_owned(), &error))?;
    let flight = Flight {
        carrier: event.carrier,
        flight: event.flight,
        tail: event.tail,
        origin: event.origin,
        dest: event.dest,
        distance_miles: event.distance_miles,
        scheduled_ms: event.scheduled,
        delay_min: event.delay_min,
    };
    flight.check()?;
    Ok(flight)
}
