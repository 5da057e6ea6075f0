//! Flights that the tests use.

use flights::{Flight, Week, utc};

/// The event of [`ua_1545`], as it must lie on the topic.
pub const UA_1545: &str = r#"{"carrier":"UA","flight":1545,"tail":"N14228","origin":"EWR","dest":"IAH","distance_miles":1400,"scheduled":"2013-01-01T10:15:00Z","delay_min":2}"#;

/// 2013-01-01T10:15:00Z, the slot of [`ua_1545`].
pub const UA_1545_SLOT_MS: i64 = 1_357_035_300_000;

/// The first flight of the year: United 1545 from Newark to Houston. It left two minutes late.
pub fn ua_1545() -> Flight {
    Flight {
        carrier: "UA".to_owned(),
        flight: 1545,
        tail: Some("N14228".to_owned()),
        origin: "EWR".to_owned(),
        dest: "IAH".to_owned(),
        distance_miles: 1400,
        scheduled_ms: UA_1545_SLOT_MS,
        delay_min: 2,
    }
}

/// The event of [`ua_1545`] with one part of its text replaced.
pub fn ua_1545_with(part: &str, replacement: &str) -> String {
    assert!(UA_1545.contains(part), "the event has no {part}");
    UA_1545.replace(part, replacement)
}

/// The first flights of the calm week, as they left. Real ones: none is in step with its slot.
pub fn first_of_the_calm_week(count: usize) -> Vec<Flight> {
    let mut departed = Week::Calm.load().departed;
    departed.truncate(count);
    departed
}

/// What a flight must look like on the topic. Written without the learner's own code.
pub fn event_of(flight: &Flight) -> String {
    serde_json::to_string(flight).expect("a flight holds only text and numbers")
}

/// An instant as Kafka counts it, and as a person reads it.
pub fn instant(instant_ms: i64) -> String {
    format!("{instant_ms} ms, {}", utc::format(instant_ms))
}
