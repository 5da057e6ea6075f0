//! title: The reader ignores fields that it does not know
//! file: event.rs
//! caught by: step1_event::an_unknown_field_is_refused
//!
//! A `Value` is at hand and each field is taken out of it by name. That reads every event, also
//! the one in which a field was renamed or added: what nobody asks for is never seen.

pub fn decode(payload: &[u8]) -> Result<Flight, EventError> {
    if payload.len() > MAX_EVENT_BYTES {
        return Err(EventError::TooLong { found_bytes: payload.len() });
    }
    let malformed = |field: &str, reason: &str| EventError::Malformed {
        line: 1,
        column: 0,
        field: field.to_owned(),
        reason: reason.to_owned(),
    };
    let event: serde_json::Value =
        serde_json::from_slice(payload).map_err(|error| malformed(".", &error.to_string()))?;
    let text = |field: &str| {
        event[field].as_str().map(str::to_owned).ok_or_else(|| malformed(field, "expected text"))
    };
    let number = |field: &str| {
        event[field].as_i64().ok_or_else(|| malformed(field, "expected a whole number"))
    };
    let flight = Flight {
        carrier: text("carrier")?,
        flight: number("flight")? as u16,
        tail: event["tail"].as_str().map(str::to_owned),
        origin: text("origin")?,
        dest: text("dest")?,
        distance_miles: number("distance_miles")? as u16,
        scheduled_ms: flights::utc::parse(&text("scheduled")?)
            .map_err(|reason| malformed("scheduled", &reason))?,
        delay_min: number("delay_min")? as i32,
    };
    flight.check()?;
    Ok(flight)
}
