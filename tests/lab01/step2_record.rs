//! Step 2: key, timestamp and headers of a record.

use flights::{Flight, utc};
use lab01::event::EventError;
use lab01::record::{FlightRecord, to_record};
use testkit::rule;

use super::flights_at_hand::{UA_1545, UA_1545_SLOT_MS, instant, ua_1545};

fn record_of(flight: &Flight) -> FlightRecord {
    rule("A flight has a record.").succeeds(to_record(flight))
}

/// The two clocks of a flight, drawn on one line of time.
fn clocks(flight: &Flight) -> String {
    let (slot, left) = (utc::format(flight.scheduled_ms), utc::format(flight.departed_ms()));
    let delay = flight.delay_min;
    if delay < 0 {
        format!("{left} ●──○ {slot}\n   it really left    its slot ({delay} min)")
    } else {
        format!("{slot} ○──● {left}\n         its slot    it really left (+{delay} min)")
    }
}

#[test]
fn the_key_is_the_airport_of_departure() {
    for origin in ["EWR", "JFK", "LGA"] {
        let flight = Flight { origin: origin.to_owned(), ..ua_1545() };
        rule("The key is the airport of departure: a board shows one airport, in one order.")
            .picture(format!("{} {} from {origin} to IAH", flight.carrier, flight.flight))
            .ask("Records of one key stay in order. Whose order does the board need?")
            .same_bytes(record_of(&flight).key, origin);
    }
}

#[test]
fn the_timestamp_is_when_the_aircraft_really_left() {
    for delay_min in [2, 0, 1301] {
        let flight = Flight { delay_min, ..ua_1545() };
        rule("The timestamp is when the aircraft really left, in milliseconds since the epoch.")
            .picture(clocks(&flight))
            .ask("When did this record come into being, and in which unit does Kafka count?")
            .same_bytes(
                instant(record_of(&flight).timestamp_ms),
                instant(UA_1545_SLOT_MS + i64::from(delay_min) * 60_000),
            );
    }
}

#[test]
fn an_early_flight_has_a_timestamp_before_its_slot() {
    let flight = Flight { delay_min: -43, ..ua_1545() };
    rule("A flight that left early is on the topic before its slot has come.")
        .picture(clocks(&flight))
        .ask("Is the timestamp of a record ever about the time for which something was planned?")
        .same_bytes(
            instant(record_of(&flight).timestamp_ms),
            instant(UA_1545_SLOT_MS - 43 * 60_000),
        );
}

#[test]
fn the_headers_name_the_format_and_then_the_schema() {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    rule("Two headers, in this order: the format of the payload, then its schema.")
        .ask("A reader with two schemas must choose one before it parses. What can it look at?")
        .same(
            record_of(&ua_1545()).headers,
            vec![header("content-type", "application/json"), header("schema", "flight.v1")],
        );
}

#[test]
fn the_payload_is_the_event() {
    rule("The payload is the event of step 1, nothing more.")
        .same_bytes(record_of(&ua_1545()).payload, UA_1545);

    let impossible = Flight { origin: "BOS".to_owned(), ..ua_1545() };
    rule("A flight that cannot be written as an event has no record.")
        .picture(format!("{impossible:?}"))
        .refuses(
            to_record(&impossible),
            "Impossible, field `origin`",
            |error| matches!(error, EventError::Impossible(found) if found.field == "origin"),
        );
}
