//! Records, commits and deletions that the tests put on the broker themselves, without the
//! learner's code.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use flights::{Flight, Week};
use lab03::broker::Outsider;
use lab03::progress::Offsets;
use rdkafka::ClientConfig;
use rdkafka::Message;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use testkit::{TestKafka, until};

/// How long a broker may take in these tests.
pub const BOUND: Duration = Duration::from_secs(10);

/// 2013-02-18T06:00:00Z.
pub const SIX_MS: i64 = 1_361_167_200_000;

/// Five minutes.
pub const FIVE_MIN_MS: i64 = 300_000;

/// Puts records with these timestamps on a partition, in this order.
pub async fn put(kafka: &TestKafka, topic: &str, partition: i32, timestamps_ms: &[i64]) {
    let records: Vec<(i64, String)> =
        timestamps_ms.iter().map(|timestamp_ms| (*timestamp_ms, String::new())).collect();
    put_payloads(kafka, topic, partition, &records).await;
}

/// Puts records on a partition, each a timestamp and a payload, in this order. The broker gets each
/// in a batch of its own: a reader is given whole batches.
pub async fn put_payloads(
    kafka: &TestKafka,
    topic: &str,
    partition: i32,
    records: &[(i64, String)],
) {
    let producer = producer(kafka);
    let mut deliveries = Vec::new();
    for (timestamp_ms, payload) in records {
        let record = FutureRecord::<str, str>::to(topic)
            .partition(partition)
            .timestamp(*timestamp_ms)
            .payload(payload);
        deliveries.push(producer.send_result(record).map_err(|(error, _)| error));
    }
    for delivery in deliveries {
        let answer = delivery.expect("there is room").await.expect("it is answered");
        answer.expect("the broker takes it");
    }
}

/// Sends each record in a batch of its own, in order, one at a time. It is idempotent too: else a
/// batch that is sent again may arrive behind the next one. All tests of this process share it,
/// since the number that such a producer asks the broker for first takes half a second.
fn producer(kafka: &TestKafka) -> &'static FutureProducer {
    static PRODUCER: OnceLock<FutureProducer> = OnceLock::new();
    PRODUCER.get_or_init(|| {
        let mut settings = kafka.quick_client();
        settings.set("linger.ms", "0").set("batch.num.messages", "1");
        settings.set("enable.idempotence", "true").set("max.in.flight", "1");
        settings.create().expect("the settings are good")
    })
}

/// Asks about a topic and a group.
pub fn outsider(kafka: &TestKafka, topic: &str, group: &str) -> Outsider {
    Outsider::new(&kafka.quick_client(), topic, group).expect("the settings are good")
}

/// A consumer of a group that commits only what it is told to.
pub fn consumer(kafka: &TestKafka, group: &str, settings: &[(&str, &str)]) -> BaseConsumer {
    let mut config: ClientConfig = kafka.quick_client();
    config.set("group.id", group).set("enable.auto.commit", "false");
    for (name, value) in settings {
        config.set(*name, *value);
    }
    config.create().expect("the settings are good")
}

/// Commits for a group that has no member.
pub fn commit(kafka: &TestKafka, topic: &str, group: &str, offsets: &[(i32, i64)]) {
    let offsets = offsets.iter().copied().collect();
    let outsider = consumer(kafka, group, &[]);
    outsider.commit(&list(topic, &offsets), CommitMode::Sync).expect("the broker takes the commit");
}

/// What a group has committed, as the broker has it.
pub fn committed(kafka: &TestKafka, topic: &str, group: &str, partitions: i32) -> Offsets {
    let mut question = TopicPartitionList::new();
    question.add_partition_range(topic, 0, partitions - 1);
    let answer = consumer(kafka, group, &[]).committed_offsets(question, BOUND);
    let answer = answer.expect("the broker answers");
    let number = |offset| if let Offset::Offset(offset) = offset { Some(offset) } else { None };
    let elements = answer.elements();
    elements.iter().filter_map(|e| Some((e.partition(), number(e.offset())?))).collect()
}

/// A living member of a group: subscribed to the topic, and assigned its partitions.
pub async fn member(kafka: &TestKafka, topic: &str, group: &str) -> BaseConsumer {
    let settings = [("session.timeout.ms", "6000"), ("auto.offset.reset", "earliest")];
    let member = consumer(kafka, group, &settings);
    member.subscribe(&[topic]).expect("the topic can be subscribed to");
    until(BOUND, "the member's partitions", async || {
        let _ = member.poll(Duration::from_millis(20));
        let assigned = member.assignment().map_or(0, |assignment| assignment.count());
        if assigned > 0 { Ok(()) } else { Err("no partition is assigned".to_owned()) }
    })
    .await;
    member
}

/// The next record that a consumer gives out, as `partition@offset`, or its error. A poll that
/// gives nothing may have been ended by news of the group.
pub fn next(consumer: &BaseConsumer) -> String {
    let deadline = Instant::now() + BOUND;
    while Instant::now() < deadline {
        match consumer.poll(Duration::from_millis(100)) {
            None => {}
            Some(Ok(record)) => return format!("{}@{}", record.partition(), record.offset()),
            Some(Err(error)) => return error.to_string(),
        }
    }
    format!("no record within {BOUND:?}")
}

/// The first flights of the calm week, as they left.
pub fn flights(count: usize) -> Vec<Flight> {
    let mut departed = Week::Calm.load().departed;
    departed.truncate(count);
    departed
}

/// Puts flights on a topic of two partitions or more, in turn on partition 0 and 1.
pub async fn put_flights(kafka: &TestKafka, topic: &str, flights: &[Flight]) {
    for partition in [0, 1] {
        let of_partition = flights.iter().skip(partition as usize).step_by(2);
        let records: Vec<(i64, String)> =
            of_partition.map(|flight| (flight.departed_ms(), event_of(flight))).collect();
        put_payloads(kafka, topic, partition, &records).await;
    }
}

/// A flight's event, written by the reference answer of lab 01.
pub fn event_of(flight: &Flight) -> String {
    let event = lab01::event::encode(flight).expect("it is a flight");
    String::from_utf8(event).expect("JSON is text")
}

/// Partitions of one topic with the offset of each; -1 is the end, to the client.
pub fn list(topic: &str, offsets: &Offsets) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for (partition, offset) in offsets {
        let offset = Offset::from_raw(*offset);
        list.add_partition_offset(topic, *partition, offset).expect("it is an offset");
    }
    list
}

/// Asks a broker that is not there. Nothing listens on port 1.
pub fn nobody() -> Outsider {
    let mut kafka = ClientConfig::new();
    kafka.set("bootstrap.servers", "127.0.0.1:1").set("socket.timeout.ms", "300");
    Outsider::new(&kafka, "flights", "g").expect("the settings are good")
}
