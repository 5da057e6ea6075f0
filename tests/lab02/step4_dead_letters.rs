//! Step 4: a loop that no record can end.
//!
//! - What is no flight is put aside whole, with its place and the reason, before the next record is
//!   read.
//! - No record ends the loop, whatever is in it.
//! - No error of the broker is swallowed, and none that passes by itself ends the loop.

use std::ops::ControlFlow;

use lab02::dead_letters::{
    DeadLetterQueue, ERROR_MESSAGE, ERROR_OFFSET, ERROR_PARTITION, ERROR_TIMESTAMP, ERROR_TOPIC,
    MAX_REASON_BYTES, Read, ReadError, Told, as_flight, consume, dead_letter,
};
use lab02::record::{Place, ReceivedRecord, Record};
use rdkafka::ClientConfig;
use rdkafka::consumer::{Consumer, StreamConsumer};
use testkit::{TestKafka, rule, with_kafka};

use super::at_hand::{
    BOUND, count, first_of_the_calm_week, nobody, producer, put, record, record_of, stored,
};

fn received(record: Record) -> ReceivedRecord {
    ReceivedRecord {
        place: Place { topic: "flights".to_owned(), partition: 2, offset: 41 },
        record,
    }
}

/// Records that are no flights, each with what is wrong with it.
fn poison() -> Vec<(&'static str, Record)> {
    let good = record_of(&first_of_the_calm_week(1)[0]);
    let event = good.payload.clone().expect("a flight has a payload");
    let with =
        |payload: Option<&[u8]>| Record { payload: payload.map(<[u8]>::to_vec), ..good.clone() };
    let at = |timestamp_ms| Record { timestamp_ms: Some(timestamp_ms), ..good.clone() };
    vec![
        ("no payload", with(None)),
        ("an empty payload", with(Some(b""))),
        ("text", with(Some(b"delayed"))),
        ("an event that is cut off", with(Some(&event[..60]))),
        ("bytes that are no UTF-8", with(Some(b"{\"carrier\":\"\xff\xfe\"}"))),
        ("a huge payload", with(Some(&vec![b' '; 200_000]))),
        ("no key, and a number for an event", Record { key: None, ..with(Some(b"42")) }),
        ("a timestamp before 1970", at(-1_000)),
    ]
}

async fn consumer(kafka: &ClientConfig, group: &str, topic: &str) -> StreamConsumer {
    let consumer: StreamConsumer = kafka
        .clone()
        .set("group.id", group)
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "false")
        .create()
        .expect("the settings are good");
    consumer.subscribe(&[topic]).expect("it is a name");
    consumer
}

/// Consumes until the last of so many records was told, and gives what was told.
async fn consumed(
    kafka: &TestKafka,
    topic: &str,
    queue: &DeadLetterQueue,
    records: usize,
) -> Result<Vec<Read>, ReadError> {
    let consumer = consumer(&kafka.quick_client(), &kafka.group("readers"), topic).await;
    let mut told = Vec::new();
    let mut tell = |what| {
        let Told::Read(read) = what else { return ControlFlow::Continue(()) };
        let is_last = read.place().offset + 1 >= records as i64;
        told.push(read);
        if is_last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    rule("Every record is told, and the loop ends when it is told to.")
        .ask("Some record made the loop stand still, or skip. Which one, and what does your loop do with it?")
        .within(BOUND, consume(&consumer, queue, &mut tell))
        .await?;
    Ok(told)
}

fn kind(is_dead_letter: bool) -> &'static str {
    if is_dead_letter { "a dead letter" } else { "a flight" }
}

fn told_as(read: &Read) -> String {
    format!("offset {}, {}", read.place().offset, kind(matches!(read, Read::DeadLetter { .. })))
}

/// Headers as a person reads them.
fn shown(headers: &[(String, Option<Vec<u8>>)]) -> String {
    let value = |value: &Option<Vec<u8>>| {
        value.as_ref().map_or("none".to_owned(), |value| value.escape_ascii().to_string())
    };
    let lines = headers.iter().map(|(name, text)| format!("{name}: {}", value(text)));
    lines.collect::<Vec<String>>().join(", ")
}

fn queue(kafka: &TestKafka, topic: &str) -> DeadLetterQueue {
    DeadLetterQueue { producer: producer(&kafka.client(), &[]), topic: topic.to_owned() }
}

#[test]
fn a_dead_letter_is_the_record_as_it_was() {
    for (what, record) in poison() {
        let letter = dead_letter(&received(record.clone()), "no flight");
        rule("A dead letter has the key, the payload and the timestamp of the record, byte for byte.")
            .picture(what)
            .ask("Who looks into a dead letter wants to know what was sent. What of that is left?")
            .holds(
                (&letter.key, &letter.payload, letter.timestamp_ms)
                    == (&record.key, &record.payload, record.timestamp_ms),
                "another key, payload or timestamp",
            );
        rule("The record's own headers come first, as they were.")
            .picture(what)
            .ask("The sender named the schema in a header. Where would you look for it now?")
            .holds(letter.headers.starts_with(&record.headers), shown(&letter.headers));
    }
}

#[test]
fn a_dead_letter_says_where_it_lay_and_why_it_is_one() {
    let record = Record { timestamp_ms: Some(1_361_145_180_000), ..Record::default() };
    let letter = dead_letter(&received(record), "no flight");
    let expected = [
        (ERROR_TOPIC, "flights"),
        (ERROR_PARTITION, "2"),
        (ERROR_OFFSET, "41"),
        (ERROR_TIMESTAMP, "1361145180000"),
        (ERROR_MESSAGE, "no flight"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), Some(value.as_bytes().to_vec())));
    rule("A dead letter says where it lay, when it was made and why it is no flight.")
        .ask("With these headers, can a program send the record again to where it came from?")
        .same_bytes(shown(&letter.headers), shown(&expected));
    let letter = dead_letter(&received(Record { timestamp_ms: None, ..Record::default() }), "x");
    rule("A record without a timestamp has a header without a value.").holds(
        letter.headers.contains(&(ERROR_TIMESTAMP.to_owned(), None)),
        shown(&letter.headers),
    );
}

#[test]
fn a_reason_is_cut_between_two_characters() {
    let reason = "é".repeat(MAX_REASON_BYTES);
    let letter = dead_letter(&received(Record::default()), &format!("x{reason}"));
    let written = letter.headers.last().and_then(|(_, value)| value.clone()).unwrap_or_default();
    rule("A reason is cut to the limit, between two characters, and stays text.")
        .ask("The reason quotes what was in the payload. How long may that be?")
        .holds(
            written.len() == MAX_REASON_BYTES - 1 && String::from_utf8(written.clone()).is_ok(),
            format!("{} bytes, limit {MAX_REASON_BYTES}", written.len()),
        );
}

#[test]
fn only_a_flight_is_read_as_a_flight() {
    let flight = first_of_the_calm_week(1).remove(0);
    let good = received(record_of(&flight));
    let read = rule("A record of a real flight is a flight.").succeeds(as_flight(&good));
    rule("It is the flight that was sent, with the record's own place and timestamp.").same(
        (read.flight, read.place, Some(read.timestamp_ms)),
        (flight, good.place.clone(), good.record.timestamp_ms),
    );
    for (what, record) in poison() {
        rule("What is no flight is refused with a reason.")
            .picture(what)
            .ask("Which part of this record does your code rely on, and does it look before?")
            .refuses(as_flight(&received(record)), "a reason", |reason| !reason.is_empty());
    }
    let keyless = Record { key: None, ..good.record };
    rule("The key is no part of the flight: a record without one is read all the same.")
        .succeeds(as_flight(&received(keyless)));
}

/// These cannot be put on a topic: the broker refuses the future, and a client fills in what is missing.
#[test]
fn a_flight_left_in_the_years_of_the_board() {
    let good = record_of(&first_of_the_calm_week(1)[0]);
    // The last millisecond of 2099 and the first one of 2100.
    for (timestamp_ms, is_flight) in [
        (None, false),
        (Some(-1), false),
        (Some(0), true),
        (Some(4_102_444_799_999), true),
        (Some(4_102_444_800_000), false),
        (Some(i64::MAX), false),
    ] {
        let found = as_flight(&received(Record { timestamp_ms, ..good.clone() })).is_ok();
        rule("A flight's record has a timestamp, and it is one of 1970 to 2099.")
            .picture(format!("timestamp {timestamp_ms:?}"))
            .ask("The table's column is filled from it. Which of these would you want to find there?")
            .holds(found == is_flight, if found { "a flight" } else { "no flight" });
    }
}

#[test]
fn no_record_ends_the_loop_and_none_is_skipped() {
    with_kafka(async |kafka| {
        let topic = kafka.create_topic("flights", 1).await;
        let dead = kafka.create_topic("dead", 1).await;
        let good: Vec<Record> = first_of_the_calm_week(9).iter().map(record_of).collect();
        let pills: Vec<Record> = poison().into_iter().map(|(_, record)| record).collect();
        let mut records: Vec<Record> =
            good.iter().zip(&pills).flat_map(|(one, other)| [one.clone(), other.clone()]).collect();
        // A flight stands last, so that a loop that skips what it cannot read comes to its end.
        records.extend(good.last().cloned());
        put(&kafka.client(), &topic, &records).await;

        let outcome = consumed(kafka, &topic, &queue(kafka, &dead), records.len()).await;
        let told = rule("No record ends the loop.").succeeds(outcome);
        // Compared one by one first: the first that is missing says more than the number.
        for (index, read) in told.iter().enumerate() {
            let is_pill = index % 2 == 1;
            let what = if is_pill { poison()[index / 2].0 } else { "a flight" };
            rule("Every record is told in its turn, as a flight or as a dead letter.")
                .picture(format!("offset {index}: {what}"))
                .ask("After a record that cannot be read: which one is told next?")
                .same_bytes(told_as(read), format!("offset {index}, {}", kind(is_pill)));
        }
        let letters = stored(&kafka.client(), &dead);
        rule("Every record that is no flight lies on the topic of the dead letters, and nothing else.")
            .ask("in = flights + dead letters. Which side is short?")
            .same(letters.len(), pills.len());
        for (letter, pill) in letters.iter().zip(&pills) {
            let headers = letter.record.headers.get(..pill.headers.len()).unwrap_or_default();
            rule("A dead letter lies there as the record was: key, payload, timestamp, headers.")
                .holds(
                    (&letter.record.key, &letter.record.payload, letter.record.timestamp_ms)
                        == (&pill.key, &pill.payload, pill.timestamp_ms)
                        && headers == pill.headers,
                    "another record",
                );
        }
    });
}

#[test]
fn a_dead_letter_is_acknowledged_before_the_loop_goes_on() {
    with_kafka(async |kafka| {
        let topic = kafka.create_topic("flights", 1).await;
        let dead = kafka.create_topic("dead", 1).await;
        put(&kafka.client(), &topic, &[record("EWR", b"delayed")]).await;
        // The client keeps a record for 300 ms, in the hope of more for one request.
        let slow = producer(&kafka.client(), &[("linger.ms", "300")]);
        let queue = DeadLetterQueue { producer: slow, topic: dead.clone() };
        let consumer = consumer(&kafka.quick_client(), &kafka.group("readers"), &topic).await;
        let mut lying = None;
        let mut tell = |_| {
            lying = Some(count(&kafka.client(), &dead));
            ControlFlow::Break(())
        };
        let outcome = rule("A dead letter is told.")
            .within(BOUND, consume(&consumer, &queue, &mut tell))
            .await;
        rule("No record ends the loop.").succeeds(outcome);
        rule("When a dead letter is told, it lies on its topic.")
            .picture("how many dead letters are there when the first is told?")
            .ask("The program ends right now. Who has the record: the topic, or a queue in the process?")
            .same(lying, Some(1));
    });
}

#[test]
fn a_dead_letter_that_is_not_delivered_ends_the_loop() {
    with_kafka(async |kafka| {
        let topic = kafka.create_topic("flights", 1).await;
        let small = [("max.message.bytes", "2000"), ("retention.ms", "-1")];
        let dead = kafka.create_topic_with("small", 1, &small).await;
        let good = record_of(&first_of_the_calm_week(1)[0]);
        put(&kafka.client(), &topic, &[good.clone(), record("EWR", &[b'x'; 9_000]), good]).await;
        let outcome = consumed(kafka, &topic, &queue(kafka, &dead), 3).await;
        let outcome = outcome.map(|told| format!("{} records told", told.len()));
        rule("What is neither a flight nor a dead letter is lost, so the loop ends and names it.")
            .picture("offset 1 is no flight and has 9,000 bytes; the other topic takes 2,000")
            .ask("Nobody has this record now. Who is told?")
            .refuses(
                outcome,
                "DeadLetter, with the place of the record",
                |error| matches!(error, ReadError::DeadLetter { place, .. } if place.offset == 1),
            );
    });
}

#[test]
fn an_error_of_the_broker_is_not_swallowed() {
    with_kafka(async |kafka| {
        let missing = kafka.topic("missing");
        let queue = queue(kafka, &missing);
        let consumer = consumer(&kafka.quick_client(), &kafka.group("readers"), &missing).await;
        let mut tell = |_| ControlFlow::Continue(());
        let outcome = rule("An error of the broker ends the loop: nothing will come any more.")
            .picture("the topic does not exist")
            .ask("The loop waits in good faith. For what?")
            .within(BOUND, consume(&consumer, &queue, &mut tell))
            .await;
        rule("An error of the broker comes out of the loop.")
            .picture("the topic does not exist")
            .ask("`while let Ok(…)` ends at the first error. What does the caller learn of it?")
            .refuses(outcome, "Broker, with the client's reason", |error| {
                matches!(error, ReadError::Broker(_))
            });
    });
}

#[tokio::test]
async fn a_lost_connection_is_told_and_does_not_end_the_loop() {
    let queue = DeadLetterQueue { producer: producer(&nobody(), &[]), topic: "dead".to_owned() };
    let consumer = consumer(&nobody(), "readers", "flights").await;
    let mut troubles = 0;
    let mut tell = |told| {
        troubles += usize::from(matches!(told, Told::Reconnecting(_)));
        if troubles < 2 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let outcome = rule("A lost connection is told.")
        .picture("no broker answers; the client goes on looking for one")
        .ask("The board stands still. Where could one read why?")
        .within(BOUND, consume(&consumer, &queue, &mut tell))
        .await;
    rule("A lost connection does not end the loop: the client finds its way back by itself.")
        .ask("A broker is restarted for a new version. Must every reader be started again?")
        .holds(outcome.is_ok(), "an error of the connection");
}
