//! One departure as the topic carries it, and its two clocks.

use std::ops::RangeInclusive;

use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;

use crate::quote::quoted;
use crate::utc;

const MINUTE_MS: i64 = 60_000;

// ANCHOR: flight
/// A departure from one of New York's three airports: one record on the topic.
///
/// A flight has two clocks. [`scheduled_ms`](Flight::scheduled_ms) is its slot, the *event time*
/// of every question in this course. [`departed_ms`](Flight::departed_ms) is when the aircraft
/// really left, and so when the record *arrives*. They differ by the delay, which is negative
/// for more than half of all flights.
///
/// What is known only after landing (arrival delay, time in the air) is not in here: an event
/// cannot carry what has not happened yet.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flight {
    /// The airline's two-letter code, such as `UA`.
    pub carrier: String,
    /// The flight number, 1 to 9999.
    pub flight: u16,
    /// The aircraft's registration, `None` where the data set does not know it. The field itself
    /// must be there: serde would take a missing `Option` for `None`, and this reader is strict.
    #[serde(deserialize_with = "required_option")]
    pub tail: Option<String>,
    /// The airport of departure: `EWR`, `JFK` or `LGA`.
    pub origin: String,
    /// The airport of arrival, three letters.
    pub dest: String,
    /// The distance between the two airports, in statute miles.
    pub distance_miles: u16,
    /// The slot, in milliseconds since the epoch, UTC: the event time. In JSON it is the field
    /// `scheduled`, written `2013-02-18T11:15:00Z`.
    #[serde(rename = "scheduled", with = "utc::text")]
    pub scheduled_ms: i64,
    /// Minutes between the slot and the departure; negative when the flight left early.
    pub delay_min: i32,
}
// ANCHOR_END: flight

/// A field that could be read but holds what no flight can have.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("field `{field}`: expected {expected}, found {found}")]
pub struct FieldError {
    /// The field's name as it is written in JSON and CSV.
    pub field: &'static str,
    /// What the field may hold.
    pub expected: &'static str,
    /// What it holds, as text.
    pub found: String,
}

impl Flight {
    /// When the aircraft really left, in milliseconds since the epoch, UTC: the arrival of the
    /// record, and its timestamp on the topic.
    pub fn departed_ms(&self) -> i64 {
        self.scheduled_ms + i64::from(self.delay_min) * MINUTE_MS
    }

    /// Checks what the types alone cannot: codes, ranges, years.
    ///
    /// # Errors
    /// The first field, in the order of the struct, that holds what no flight can have.
    pub fn check(&self) -> Result<(), FieldError> {
        let code = |text: &str, len: RangeInclusive<usize>| {
            len.contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        };
        let found = |field, expected, found: &dyn ToString| {
            Err(FieldError { field, expected, found: found.to_string() })
        };
        if !code(&self.carrier, 2..=2) {
            return found("carrier", "two capital letters or digits", &quoted(&self.carrier));
        }
        if !(1..=9999).contains(&self.flight) {
            return found("flight", "a number from 1 to 9999", &self.flight);
        }
        if let Some(tail) = &self.tail
            && !code(tail, 4..=6)
        {
            let expected = "a registration of 4 to 6 capital letters or digits, or null";
            return found("tail", expected, &quoted(tail));
        }
        if !matches!(self.origin.as_str(), "EWR" | "JFK" | "LGA") {
            return found("origin", "EWR, JFK or LGA", &quoted(&self.origin));
        }
        if self.dest.len() != 3 || !self.dest.bytes().all(|b| b.is_ascii_uppercase()) {
            return found("dest", "three capital letters", &quoted(&self.dest));
        }
        if !(1..=9999).contains(&self.distance_miles) {
            return found("distance_miles", "a number from 1 to 9999", &self.distance_miles);
        }
        if !utc::SUPPORTED_MS.contains(&self.scheduled_ms) {
            return found("scheduled", "a time from 1970 to 2099", &utc::format(self.scheduled_ms));
        }
        if !(-1440..=10_080).contains(&self.delay_min) {
            return found("delay_min", "a number from -1440 to 10080", &self.delay_min);
        }
        Ok(())
    }
}

fn required_option<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Option::deserialize(from)
}
