//! What the tests use: flights, records, and a producer and a reader of their own, so that no test
//! of one step depends on another.

use std::sync::OnceLock;
use std::time::Duration;

use flights::{Flight, Week};
use lab01::record::to_record;
use lab02::record::{ReceivedRecord, Record};
use rdkafka::ClientConfig;
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::FutureProducer;
use rdkafka::topic_partition_list::Offset;

/// So long may a call take that ends by itself.
pub const BOUND: Duration = Duration::from_secs(10);

/// The first flights of the calm week, as they left.
pub fn first_of_the_calm_week(count: usize) -> Vec<Flight> {
    let mut departed = Week::Calm.load().departed;
    departed.truncate(count);
    departed
}

/// The record of a flight, as lab 01 makes it.
pub fn record_of(flight: &Flight) -> Record {
    to_record(flight).expect("a real flight can be written").into()
}

/// A record with this key and payload.
pub fn record(key: &str, payload: &[u8]) -> Record {
    Record {
        key: Some(key.as_bytes().to_vec()),
        payload: Some(payload.to_vec()),
        timestamp_ms: Some(1_361_145_180_000),
        ..Record::default()
    }
}

/// A client that speaks to nobody: no broker listens there.
pub fn nobody() -> ClientConfig {
    let mut nobody = ClientConfig::new();
    nobody.set("bootstrap.servers", "127.0.0.1:1").set("socket.timeout.ms", "300");
    nobody
}

/// With it, what is sent again arrives in its place.
pub const IN_ORDER: (&str, &str) = ("enable.idempotence", "true");

/// A producer with some settings of the test's own. It is not idempotent: the number that such a
/// producer asks the broker for first costs a test half a second and more. So what it sends again
/// may arrive behind the next record; where order matters, a test asks for [`IN_ORDER`].
pub fn producer(kafka: &ClientConfig, settings: &[(&str, &str)]) -> FutureProducer {
    let mut config = kafka.clone();
    config.set("partitioner", "murmur2_random").set("max.in.flight", "1");
    config.set("topic.metadata.refresh.fast.interval.ms", "10");
    for (name, value) in settings {
        config.set(*name, *value);
    }
    config.create().expect("the settings are good")
}

/// Puts records on a topic, in order. All tests of this process share its producer, which takes
/// half a second to start.
pub async fn put(kafka: &ClientConfig, topic: &str, records: &[Record]) {
    static PRODUCER: OnceLock<FutureProducer> = OnceLock::new();
    let producer = PRODUCER.get_or_init(|| producer(kafka, &[IN_ORDER]));
    let reports: Vec<_> = records
        .iter()
        .map(|record| producer.send_result(record.to_outgoing(topic)).map_err(|(error, _)| error))
        .collect();
    for report in reports {
        report.expect("there is room").await.expect("it is answered").expect("it is taken");
    }
}

/// Everything that lies on a topic, by partition and offset.
pub fn stored(kafka: &ClientConfig, topic: &str) -> Vec<ReceivedRecord> {
    let consumer: BaseConsumer =
        kafka.clone().set("group.id", topic).create().expect("the settings are good");
    let metadata = consumer.fetch_metadata(Some(topic), BOUND).expect("the broker answers");
    let mut assignment = TopicPartitionList::new();
    let mut expected = 0;
    for partition in metadata.topics()[0].partitions() {
        let (first, end) =
            consumer.fetch_watermarks(topic, partition.id(), BOUND).expect("the broker answers");
        expected += end - first;
        let from = Offset::Offset(first);
        assignment.add_partition_offset(topic, partition.id(), from).expect("it is an offset");
    }
    consumer.assign(&assignment).expect("the partitions are there");
    let mut records: Vec<ReceivedRecord> = (0..expected)
        .map(|_| {
            let message = consumer.poll(BOUND).expect("a record comes in time");
            ReceivedRecord::of_message(&message.expect("the broker gives it"))
        })
        .collect();
    records.sort_by(|one, other| one.place.cmp(&other.place));
    records
}

/// How many records a topic of one partition has now.
pub fn count(kafka: &ClientConfig, topic: &str) -> i64 {
    let consumer: BaseConsumer = kafka.create().expect("the settings are good");
    let (first, end) = consumer.fetch_watermarks(topic, 0, BOUND).expect("the broker answers");
    end - first
}

/// A record's payload as text, or what is there instead.
pub fn payload(record: &Record) -> String {
    let payload = record.payload.as_deref();
    payload.map_or("no payload".to_owned(), |payload| payload.escape_ascii().to_string())
}
