//! A generated stream on a real topic.
//!
//! `TIDEMARK_RECORDS=1000000 cargo test -p runs --test generated -- --nocapture` writes a million.

use std::time::{Duration, Instant};

use flights::{Generated, Generator, RecordGenerator};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use runs::filled::count;
use runs::write_generated;
use testkit::{TestKafka, with_kafka};

const LIMIT: Duration = Duration::from_secs(20);

fn stream(partitions: i32) -> RecordGenerator {
    let flights = Generator::out_of_order(7, Duration::from_mins(15)).unwrap();
    RecordGenerator::new(flights).with_partitions(partitions).unwrap()
}

/// Key, timestamp and payload.
type Bytes = (Option<Vec<u8>>, Option<i64>, Option<Vec<u8>>);

/// The first records of a partition.
fn read(kafka: &TestKafka, topic: &str, partition: i32, records: usize) -> Vec<Bytes> {
    let group = kafka.group("reads");
    let consumer: BaseConsumer =
        kafka.client().set("group.id", group).create().expect("a consumer");
    let mut from = TopicPartitionList::new();
    from.add_partition_offset(topic, partition, Offset::Beginning).expect("a partition");
    consumer.assign(&from).expect("the partition is there");
    let deadline = Instant::now() + LIMIT;
    let mut read = Vec::new();
    while read.len() < records {
        let left = deadline.saturating_duration_since(Instant::now());
        let record = consumer.poll(left);
        let record = record.unwrap_or_else(|| {
            panic!("awaited {records} records of {topic}[{partition}], saw {}", read.len())
        });
        let record = record.expect("the broker answers");
        read.push((
            record.key().map(<[u8]>::to_vec),
            record.timestamp().to_millis(),
            record.payload().map(<[u8]>::to_vec),
        ));
    }
    read
}

fn bytes(record: Generated) -> Bytes {
    match record {
        Generated::Flight { flight, .. } | Generated::Duplicate { flight, .. } => {
            let json = serde_json::to_vec(&flight).unwrap();
            (Some(flight.origin.clone().into_bytes()), Some(flight.departed_ms()), Some(json))
        }
        Generated::Poison(pill) => {
            (Some(pill.key.into_bytes()), Some(pill.timestamp_ms), pill.payload)
        }
    }
}

#[test]
fn each_record_lies_on_its_partition_as_it_was_made_and_in_order() {
    with_kafka(async |kafka| {
        let topic = kafka.create_topic("flights", 4).await;
        let stream = stream(4).with_duplicates(10, 5).unwrap().with_poison(20).unwrap();
        let stream = stream.with_silence(2, 100..300).unwrap();
        write_generated(&kafka.client(), &topic, &stream, 400).unwrap();
        assert_eq!(count(&kafka.client(), &topic).await.unwrap(), Some(400));
        for partition in 0..4 {
            let positions = (0..400).filter(|position| stream.partition(*position) == partition);
            let expected: Vec<Bytes> =
                positions.map(|position| bytes(stream.record(position))).collect();
            assert_eq!(read(kafka, &topic, partition, expected.len()), expected);
        }
    });
}

#[test]
fn many_records_are_all_there() {
    let records = match std::env::var("TIDEMARK_RECORDS") {
        Ok(number) => number.parse().expect("TIDEMARK_RECORDS is a number"),
        Err(_) => 20_000,
    };
    with_kafka(async |kafka| {
        let topic = kafka.create_topic("flights", 4).await;
        let began = Instant::now();
        write_generated(&kafka.client(), &topic, &stream(4), records).unwrap();
        println!("{records} records written in {:.1} s", began.elapsed().as_secs_f64());
        assert_eq!(count(&kafka.client(), &topic).await.unwrap(), Some(records.into()));
    });
}

#[test]
fn a_record_that_has_no_place_is_named() {
    with_kafka(async |kafka| {
        let topic = kafka.create_topic("flights", 3).await;
        let error = write_generated(&kafka.client(), &topic, &stream(4), 100).unwrap_err();
        let expected = format!("record 3 for {topic}[3] was not delivered: ");
        assert!(error.to_string().starts_with(&expected), "{error}");
    });
}

#[test]
fn a_broker_that_is_not_there_is_an_error_in_time() {
    let mut client = rdkafka::ClientConfig::new();
    client.set("bootstrap.servers", "127.0.0.1:9").set("socket.timeout.ms", "1000");
    let error = write_generated(&client, "flights", &stream(4), 10).unwrap_err();
    assert!(error.to_string().starts_with("record "), "{error}");
}
