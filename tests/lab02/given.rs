//! The code that is given, so that a red test of a step is never its fault.

use lab02::dead_letters::{Read, ReadFlight, is_reconnecting};
use lab02::record::Place;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use testkit::rule;

use super::at_hand::first_of_the_calm_week;

#[test]
fn given_what_was_read_is_a_flight_or_none_and_has_a_place() {
    let place = |offset| Place { topic: "flights".to_owned(), partition: 2, offset };
    let flight = first_of_the_calm_week(1).remove(0);
    let flight = ReadFlight { place: place(41), timestamp_ms: flight.departed_ms(), flight };
    let read = Read::Flight(flight.clone());
    rule("A flight is one, and lies where it lay.")
        .same((read.flight(), read.place()), (Some(&flight), &place(41)));
    let letter = Read::DeadLetter { place: place(42), reason: "empty".to_owned() };
    rule("A dead letter is no flight, and has a place too.")
        .same((letter.flight(), letter.place()), (None, &place(42)));
}

#[test]
fn given_a_lost_broker_is_no_end_and_a_refusal_is_one() {
    for (code, expected) in [
        (RDKafkaErrorCode::AllBrokersDown, true),
        (RDKafkaErrorCode::BrokerTransportFailure, true),
        (RDKafkaErrorCode::OperationTimedOut, true),
        (RDKafkaErrorCode::Resolve, true),
        (RDKafkaErrorCode::TopicAuthorizationFailed, false),
    ] {
        rule("The client finds its way back to a lost broker; a refusal stays one.")
            .picture(code.to_string())
            .same(
                [KafkaError::MessageConsumption(code), KafkaError::MetadataFetch(code)]
                    .map(|error| is_reconnecting(&error)),
                [expected; 2],
            );
    }
}
