//! Instants as text: `2013-02-18T11:15:00Z`.
//!
//! Inside the course an instant is an `i64` of milliseconds since the epoch, UTC. On the wire and
//! in files it is RFC 3339 in UTC, so that a person can read a topic with any tool.

use std::ops::Range;

use chrono::{DateTime, SecondsFormat};

/// From 1970-01-01T00:00:00Z to 2100-01-01T00:00:00Z, the end excluded.
pub const SUPPORTED_MS: Range<i64> = 0..4_102_444_800_000;

/// Writes an instant, with milliseconds only where it has some.
///
/// An instant outside of what a calendar can hold is written as its number.
pub fn format(instant_ms: i64) -> String {
    match DateTime::from_timestamp_millis(instant_ms) {
        Some(time) => time.to_rfc3339_opts(SecondsFormat::AutoSi, true),
        None => format!("{instant_ms} ms"),
    }
}

/// Reads an instant that [`format`] could have written.
///
/// # Errors
/// One sentence with what was expected: a time without a zone, or in another zone, is refused.
pub fn parse(text: &str) -> Result<i64, String> {
    let expected = || {
        format!(
            "expected a UTC time such as `2013-02-18T11:15:00Z`, found `{}`",
            text.escape_default()
        )
    };
    if !text.ends_with('Z') {
        return Err(expected());
    }
    let time = DateTime::parse_from_rfc3339(text).map_err(|_| expected())?;
    Ok(time.timestamp_millis())
}

/// For `#[serde(with = "utc::text")]`: an instant field written as text.
pub mod text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes the instant as text.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(instant_ms: &i64, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&super::format(*instant_ms))
    }

    /// Reads the instant from text.
    ///
    /// # Errors
    /// When the value is no text, or no UTC time.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
        let text = String::deserialize(from)?;
        super::parse(&text).map_err(D::Error::custom)
    }
}
