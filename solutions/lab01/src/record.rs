//! Step 2: key, timestamp and headers of a record.

use flights::Flight;

use crate::event::EventError;

/// The header that names the payload's format, and its value.
pub const CONTENT_TYPE: (&str, &str) = ("content-type", "application/json");

/// The header that names the payload's schema, and its value.
pub const SCHEMA: (&str, &str) = ("schema", "flight.v1");

/// A record that is ready to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlightRecord {
    /// Decides the partition. Records of one key stay in order.
    pub key: String,
    /// Kafka's CreateTime, in milliseconds since the epoch, UTC.
    pub timestamp_ms: i64,
    /// What a reader may know without parsing the payload, in this order.
    pub headers: Vec<(String, String)>,
    /// The event itself.
    pub payload: Vec<u8>,
}

// ANCHOR: to_record
/// Makes the record of a flight.
///
/// - The key is the airport of departure: one board, one order.
/// - The timestamp is when the aircraft really left. The slot, the event time, is in the payload.
/// - The headers are [`CONTENT_TYPE`], then [`SCHEMA`].
///
/// # Errors
/// Those of [`encode`](crate::event::encode).
pub fn to_record(flight: &Flight) -> Result<FlightRecord, EventError> {
    use crate::event::encode;

    let header = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    Ok(FlightRecord {
        key: flight.origin.clone(),
        timestamp_ms: flight.departed_ms(),
        headers: vec![header(CONTENT_TYPE), header(SCHEMA)],
        payload: encode(flight)?,
    })
}
// ANCHOR_END: to_record
