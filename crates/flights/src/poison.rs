//! Records that are no flights, of every kind that people meet.
//!
//! A poison pill is a record that its reader cannot read, however often it tries. Each kind here
//! is made from a flight, as a broken producer would make it. Key and timestamp are those of the
//! flight; only the payload is spoiled.

use std::fmt;

use serde_json::{Map, Value};

use crate::flight::Flight;

/// The length of an oversized payload: one byte more than lab 01's reader takes.
pub const OVERSIZED_BYTES: usize = 64 * 1024 + 1;

/// In what way a record is no flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PoisonKind {
    /// The first half of the JSON: its producer was cut off.
    Truncated,
    /// A byte in a text that no text in UTF-8 has: its producer writes another encoding.
    NotUtf8,
    /// The flight number as text.
    WrongType,
    /// Without `delay_min`.
    MissingField,
    /// A payload of no bytes.
    Empty,
    /// No payload at all, which Kafka calls a tombstone. It is not the same as an empty one.
    Tombstone,
    /// A flight with blanks behind it, [`OVERSIZED_BYTES`] long.
    Oversized,
}

/// A record that is no flight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoisonPill {
    /// In what way it is none.
    pub kind: PoisonKind,
    /// The record's key: the airport of departure.
    pub key: String,
    /// The record's timestamp, in milliseconds since the epoch, UTC.
    pub timestamp_ms: i64,
    /// The record's payload; `None` for a tombstone.
    pub payload: Option<Vec<u8>>,
}

impl PoisonKind {
    /// Every kind, in the order of the enum.
    pub const ALL: [PoisonKind; 7] = [
        PoisonKind::Truncated,
        PoisonKind::NotUtf8,
        PoisonKind::WrongType,
        PoisonKind::MissingField,
        PoisonKind::Empty,
        PoisonKind::Tombstone,
        PoisonKind::Oversized,
    ];

    /// The kind's name, such as `not UTF-8`.
    pub fn name(self) -> &'static str {
        match self {
            PoisonKind::Truncated => "truncated",
            PoisonKind::NotUtf8 => "not UTF-8",
            PoisonKind::WrongType => "wrong type",
            PoisonKind::MissingField => "missing field",
            PoisonKind::Empty => "empty",
            PoisonKind::Tombstone => "tombstone",
            PoisonKind::Oversized => "oversized",
        }
    }

    /// Spoils a flight. The same kind and flight give the same bytes.
    pub fn spoil(self, flight: &Flight) -> PoisonPill {
        PoisonPill {
            kind: self,
            key: flight.origin.clone(),
            timestamp_ms: flight.departed_ms(),
            payload: self.payload(flight),
        }
    }

    fn payload(self, flight: &Flight) -> Option<Vec<u8>> {
        let mut json = serde_json::to_vec(flight).expect("a flight holds only text and numbers");
        match self {
            PoisonKind::Truncated => json.truncate(json.len() / 2),
            PoisonKind::NotUtf8 => {
                // The first byte of the first value, which is a text.
                let value_at = json.windows(2).position(|pair| pair == b":\"").unwrap_or(0) + 2;
                json[value_at] = 0xff;
            }
            PoisonKind::WrongType => {
                let number = Value::String(flight.flight.to_string());
                json = changed(&json, |fields| fields.insert("flight".to_owned(), number));
            }
            PoisonKind::MissingField => {
                json = changed(&json, |fields| fields.remove("delay_min"));
            }
            PoisonKind::Empty => json.clear(),
            PoisonKind::Tombstone => return None,
            PoisonKind::Oversized => json.resize(OVERSIZED_BYTES, b' '),
        }
        Some(json)
    }
}

impl fmt::Display for PoisonKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A JSON object after a change of its fields, which are then in the order of their names.
fn changed(json: &[u8], change: impl FnOnce(&mut Map<String, Value>) -> Option<Value>) -> Vec<u8> {
    let mut fields = serde_json::from_slice(json).expect("a flight is an object");
    change(&mut fields);
    serde_json::to_vec(&fields).expect("an object can be written again")
}
