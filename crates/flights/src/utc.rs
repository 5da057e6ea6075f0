//! Instants as text: `2013-02-18T11:15:00Z`.
//!
//! Inside the course an instant is an `i64` of milliseconds since the epoch, UTC. On the wire and
//! in files it is RFC 3339 in UTC, so that a person can read a topic with any tool.

use std::ops::Range;

use chrono::{DateTime, SecondsFormat};

use crate::quote::quoted;

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

/// Reads an instant that [`format()`] could have written.
///
/// # Errors
/// One sentence with what was expected: a time without a zone, in another zone or with microseconds
/// is refused.
pub fn parse(text: &str) -> Result<i64, String> {
    let expected =
        || format!("expected a UTC time such as `2013-02-18T11:15:00Z`, found {}", quoted(text));
    let time = DateTime::parse_from_rfc3339(text).map_err(|_| expected())?;
    let instant_ms = time.timestamp_millis();
    // One instant, one text. This also refuses what would be cut off below a millisecond.
    if format(instant_ms) == text { Ok(instant_ms) } else { Err(expected()) }
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

#[cfg(test)]
mod tests {
    use super::{format, parse};

    #[test]
    fn an_instant_has_one_text() {
        for (instant_ms, text) in [
            (1_361_186_100_000, "2013-02-18T11:15:00Z"),
            (1_361_186_100_050, "2013-02-18T11:15:00.050Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(format(instant_ms), text);
            assert_eq!(parse(text), Ok(instant_ms));
        }
    }

    #[test]
    fn any_other_text_is_refused() {
        for text in [
            "",
            "2013-02-18",
            "2013-02-18T11:15:00",
            "2013-02-18T11:15:00+00:00",
            "2013-02-18T12:15:00+01:00",
            "2013-02-18t11:15:00Z",
            "2013-02-18 11:15:00Z",
            "2013-02-18T11:15:00.5Z",
            "2013-02-18T11:15:00.0000001Z",
            "2013-02-18T11:15:60Z",
            "2013-02-30T11:15:00Z",
        ] {
            let expected =
                format!("expected a UTC time such as `2013-02-18T11:15:00Z`, found `{text}`");
            assert_eq!(parse(text), Err(expected));
        }
    }
}
