//! Step 2: a producer that loses nothing, and its report.
//!
//! - A record counts as delivered when every replica in sync has it, and not before.
//! - A retry writes nothing twice and changes no order.
//! - What was not delivered is named: the record itself, the reason, and whether to try again.
//! - No wait is without an end.

use std::time::Duration;

use lab02::producer::{
    Delivered, NotDelivered, ProducerLimits, is_retriable, producer_config, send_one,
};
use lab02::record::Record;
use rdkafka::ClientConfig;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::producer::FutureProducer;
use testkit::{rule, with_kafka};

use super::at_hand::{BOUND, nobody, producer, record, shown, stored};

const LIMITS: ProducerLimits =
    ProducerLimits { queued_records: 500, delivery_timeout: Duration::from_millis(2_500) };

fn setting(config: &ClientConfig, name: &str) -> String {
    config.get(name).unwrap_or("not set").to_owned()
}

#[test]
fn a_delivery_is_the_word_of_every_replica_in_sync() {
    let config = producer_config(&nobody(), &LIMITS);
    rule("A record is delivered when every replica in sync has it.")
        .ask("The broker that answered burns down. Who else has the record?")
        .same_bytes(setting(&config, "acks"), "all");
    let mut weak = nobody();
    weak.set("acks", "1").set("enable.idempotence", "false");
    let config = producer_config(&weak, &LIMITS);
    rule("What the guarantees rest on is set, whatever the caller's settings say.")
        .picture("the caller has acks=1, enable.idempotence=false")
        .same_bytes(
            format!("{}, {}", setting(&config, "acks"), setting(&config, "enable.idempotence")),
            "all, true",
        );
}

#[test]
fn a_retry_writes_nothing_twice() {
    let config = producer_config(&nobody(), &LIMITS);
    rule("The producer numbers its records, so that the broker knows a retry.")
        .ask("The answer is lost on its way, and the client sends again. How many records are there?")
        .same_bytes(setting(&config, "enable.idempotence"), "true");
    let client: Result<FutureProducer, _> = config.create();
    rule("The client takes these settings together.").succeeds(client.map(|_| ()));
}

#[test]
fn queue_and_time_are_bounded_as_asked() {
    let config = producer_config(&nobody(), &LIMITS);
    rule("The client's own queue is bounded in records.")
        .picture("queue.buffering.max.messages")
        .ask("Where are the records of a producer whose broker is away, and how many fit?")
        .same_bytes(setting(&config, "queue.buffering.max.messages"), "500");
    rule("A record that no broker takes is given up in the time that was asked for.")
        .picture("message.timeout.ms, in milliseconds")
        .same_bytes(setting(&config, "message.timeout.ms"), "2500");
}

#[test]
fn the_callers_settings_stay() {
    let mut kafka = nobody();
    kafka.set("client.id", "board").set("security.protocol", "plaintext");
    let config = producer_config(&kafka, &LIMITS);
    for name in ["bootstrap.servers", "client.id", "security.protocol"] {
        rule("How the brokers are reached is the caller's matter and stays.")
            .picture(name)
            .same_bytes(setting(&config, name), setting(&kafka, name));
    }
}

#[test]
fn a_key_lies_where_kafkas_own_tools_put_it() {
    with_kafka(async |kafka| {
        let producer: FutureProducer =
            producer_config(&kafka.client(), &LIMITS).create().expect("the settings are good");
        let topic = kafka.create_topic("flights", 3).await;
        let mut found = Vec::new();
        for key in ["EWR", "JFK", "LGA"] {
            let sent = producer.send(record(key, b"x").to_outgoing(&topic), BOUND).await;
            let sent = rule("With these settings a record can be delivered.")
                .picture(format!("{LIMITS:?}"))
                .succeeds(sent.map_err(|(error, _)| error));
            found.push(format!("{key} {}", sent.partition));
        }
        rule("A key lies on the partition that Kafka's own tools choose for it.")
            .ask("Lab 01 named the partitioner. Does this producer?")
            .same_bytes(found.join(", "), "EWR 1, JFK 1, LGA 0");
    });
}

#[test]
fn only_some_errors_pass_with_time() {
    use RDKafkaErrorCode::*;

    let retriable = [
        AllBrokersDown,
        BrokerTransportFailure,
        MessageTimedOut,
        OperationTimedOut,
        QueueFull,
        Resolve,
        InvalidMessage,
        UnknownTopicOrPartition,
        LeaderNotAvailable,
        NotLeaderForPartition,
        RequestTimedOut,
        NetworkException,
        NotEnoughReplicas,
        NotEnoughReplicasAfterAppend,
        KafkaStorageError,
    ];
    let never = [
        MessageSizeTooLarge,
        InvalidTopic,
        InvalidRequiredAcks,
        TopicAuthorizationFailed,
        ClusterAuthorizationFailed,
        UnsupportedForMessageFormat,
        PolicyViolation,
        InvalidRecord,
        InvalidTimestamp,
        UnknownTopic,
    ];
    for (codes, expected) in [(&retriable[..], true), (&never[..], false)] {
        let wrong = codes.iter().filter(|&&code| is_retriable(code) != expected);
        let wrong: Vec<String> = wrong.map(RDKafkaErrorCode::to_string).collect();
        rule("An error is retriable when the same record can succeed later, unchanged.")
            .ask("A program waits and sends such a record again. What would have to be different by then?")
            .holds(wrong.is_empty(), format!("{} for {}", !expected, wrong.join(",\n          ")));
    }
}

#[test]
fn a_delivered_record_lies_where_its_report_says() {
    with_kafka(async |kafka| {
        let topic = kafka.create_topic("flights", 3).await;
        let producer = producer(&kafka.client(), &[]);
        let full = Record {
            headers: vec![("a".to_owned(), Some(b"1".to_vec())), ("b".to_owned(), None)],
            ..record("LGA", b"flight")
        };
        let bare =
            Record { key: Some(b"LGA".to_vec()), timestamp_ms: Some(7), ..Record::default() };
        for sent in [full, bare] {
            let Delivered { partition, offset } =
                rule("A record can be sent.").succeeds(send_one(&producer, &topic, &sent).await);
            let records = stored(&kafka.client(), &topic);
            let found = records.into_iter().find(|record| {
                (record.place.partition, record.place.offset) == (partition, offset)
            });
            rule("A record lies where its report says: key, payload, headers and timestamp as they were.")
                .ask("A record without a payload is not one with an empty payload. Is that kept?")
                .same(found.map(|received| received.record), Some(sent));
        }
    });
}

fn comes_back_as_it_was(result: &Result<Delivered, NotDelivered>, sent: &Record) {
    if let Err(NotDelivered { record, .. }) = result {
        rule("A record that is not delivered comes back as it was, its timestamp too.")
            .ask("Who still has the record itself, besides the client?")
            .same_bytes(shown(record), shown(sent));
    }
}

#[test]
fn a_record_that_is_too_large_is_named_and_not_retriable() {
    with_kafka(async |kafka| {
        let small = [("max.message.bytes", "1000"), ("retention.ms", "-1")];
        let topic = kafka.create_topic_with("small", 1, &small).await;
        let sent = record("EWR", &[b'x'; 5_000]);
        let result = send_one(&producer(&kafka.client(), &[]), &topic, &sent).await;
        comes_back_as_it_was(&result, &sent);
        rule("A record that the broker refuses is not delivered; it comes back, and is not to be tried again.")
            .picture("the topic takes records of 1,000 bytes, this one has 5,000")
            .ask("What must whoever reads this error do with it? What do they need for that?")
            .refuses(result, "NotDelivered, with the topic, not retriable", |error| {
                error.topic == topic && !error.retriable
            });
    });
}

#[tokio::test]
async fn a_broker_that_is_not_there_is_an_answer_in_time_and_retriable() {
    let producer = producer(&nobody(), &[("message.timeout.ms", "300")]);
    let sent = record("EWR", b"flight");
    let result = rule("No wait is without an end.")
        .picture("a record may take 300 ms")
        .within(BOUND, send_one(&producer, "flights", &sent))
        .await;
    comes_back_as_it_was(&result, &sent);
    rule("Where no broker answers, the record comes back, and may be tried again.").refuses(
        result,
        "NotDelivered, retriable",
        |error| error.retriable,
    );
}

#[tokio::test]
async fn a_full_queue_is_a_wait() {
    let settings = [("message.timeout.ms", "300"), ("queue.buffering.max.messages", "1")];
    let producer = producer(&nobody(), &settings);
    let record = record("EWR", b"flight");
    let both = async {
        tokio::join!(
            send_one(&producer, "flights", &record),
            send_one(&producer, "flights", &record)
        )
    };
    let (one, other) = rule("No wait is without an end.").within(BOUND, both).await;
    for result in [one, other] {
        rule("A full queue makes the sender wait for room. It is no reason to give a record up.")
            .picture("room for 1 record, no broker; each record may take 300 ms")
            .ask("The queue is full now. Will it be in 300 ms?")
            .refuses(result, "NotDelivered, because it timed out", |error| {
                error.error.rdkafka_error_code() == Some(RDKafkaErrorCode::MessageTimedOut)
            });
    }
}
