//! A topic that is filled once, with a real Kafka.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminOptions, NewTopic, TopicReplication};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use runs::filled::count;
use runs::{FillError, Filled, filled_once};
use testkit::{TestKafka, with_kafka};

const RECORDS: u64 = 5;

/// What the code that fills may fail with.
type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn make(kafka: &TestKafka, topic: &str) {
    let new = NewTopic::new(topic, 3, TopicReplication::Fixed(kafka.replication()));
    let answers = kafka.admin().create_topics([&new], &AdminOptions::new()).await;
    answers.expect("the broker answers").remove(0).expect("the broker makes the topic");
}

async fn publish(client: &ClientConfig, topic: &str, records: u64) {
    let producer: FutureProducer = client.create().expect("a producer");
    for number in 0..records {
        let partition = (number % 3) as i32;
        let record = FutureRecord::<str, str>::to(topic).payload("a").partition(partition);
        let sent = producer.send_result(record).map_err(|(error, _)| error).expect("it is queued");
        sent.await.expect("the producer lives").expect("it is delivered");
    }
}

/// Fills the topic with so many records and counts the calls.
async fn filled_with(
    kafka: &TestKafka,
    topic: &str,
    records: u64,
    calls: &AtomicU32,
) -> Result<Filled, FillError> {
    let client = kafka.client();
    filled_once(&client, topic, RECORDS, async || {
        calls.fetch_add(1, Ordering::Relaxed);
        make(kafka, topic).await;
        publish(&client, topic, records).await;
        Ok::<(), Failure>(())
    })
    .await
}

#[test]
fn a_topic_is_filled_by_the_first_run_and_used_by_the_second() {
    with_kafka(async |kafka| {
        let (topic, calls) = (kafka.topic("flights"), AtomicU32::new(0));
        assert_eq!(filled_with(kafka, &topic, RECORDS, &calls).await.unwrap(), Filled::Now);
        assert_eq!(filled_with(kafka, &topic, RECORDS, &calls).await.unwrap(), Filled::Before);
        assert_eq!(calls.into_inner(), 1);
        assert_eq!(count(&kafka.client(), &topic).await.unwrap(), Some(RECORDS));
    });
}

#[test]
fn of_two_runs_at_once_one_fills_and_the_other_waits() {
    with_kafka(async |kafka| {
        let (topic, calls) = (kafka.topic("flights"), AtomicU32::new(0));
        let (one, two) = tokio::join!(
            filled_with(kafka, &topic, RECORDS, &calls),
            filled_with(kafka, &topic, RECORDS, &calls),
        );
        let mut both = [one.unwrap(), two.unwrap()];
        both.sort_by_key(|filled| *filled == Filled::Before);
        assert_eq!(both, [Filled::Now, Filled::Before]);
        assert_eq!(calls.into_inner(), 1);
    });
}

#[test]
fn a_topic_that_lost_records_is_filled_anew() {
    with_kafka(async |kafka| {
        let (topic, calls) = (kafka.topic("flights"), AtomicU32::new(0));
        filled_with(kafka, &topic, RECORDS, &calls).await.unwrap();
        let mut before = TopicPartitionList::new();
        before.add_partition_offset(&topic, 1, Offset::Offset(1)).unwrap();
        kafka.admin().delete_records(&before, &AdminOptions::new()).await.unwrap();
        assert_eq!(count(&kafka.client(), &topic).await.unwrap(), Some(RECORDS - 1));

        assert_eq!(filled_with(kafka, &topic, RECORDS, &calls).await.unwrap(), Filled::Now);
        assert_eq!(count(&kafka.client(), &topic).await.unwrap(), Some(RECORDS));
    });
}

#[test]
fn a_topic_with_more_records_is_refused_and_left_as_it_is() {
    with_kafka(async |kafka| {
        let (topic, calls) = (kafka.topic("flights"), AtomicU32::new(0));
        make(kafka, &topic).await;
        publish(&kafka.client(), &topic, RECORDS + 1).await;
        let error = filled_with(kafka, &topic, RECORDS, &calls).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "topic `{topic}` holds 6 records, expected 5; to have it filled anew: \
                 bin/kafka-topics --delete --topic {topic}"
            )
        );
        assert_eq!(calls.into_inner(), 0);
        assert_eq!(count(&kafka.client(), &topic).await.unwrap(), Some(RECORDS + 1));
    });
}

#[test]
fn a_fill_that_loses_a_record_is_found_out_and_mended_by_the_next() {
    with_kafka(async |kafka| {
        let (topic, calls) = (kafka.topic("flights"), AtomicU32::new(0));
        let error = filled_with(kafka, &topic, RECORDS - 1, &calls).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("topic `{topic}` was filled and holds 4 records, expected 5")
        );
        assert_eq!(filled_with(kafka, &topic, RECORDS, &calls).await.unwrap(), Filled::Now);
    });
}

#[test]
fn a_fill_that_fails_says_why() {
    with_kafka(async |kafka| {
        let topic = kafka.topic("flights");
        let fails = async || Err::<(), Failure>("the flights are gone".into());
        let error = filled_once(&kafka.client(), &topic, RECORDS, fails).await.unwrap_err();
        let expected = format!("cannot fill topic `{topic}`: the flights are gone");
        assert_eq!(error.to_string(), expected);
    });
}

#[tokio::test]
async fn a_broker_that_is_not_there_is_one_sentence() {
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", "127.0.0.1:9").set("socket.timeout.ms", "300");
    let fill = async || Ok::<(), Failure>(());
    let error = filled_once(&client, "flights", RECORDS, fill).await.unwrap_err().to_string();
    assert!(error.starts_with("no broker answers at 127.0.0.1:9: "), "{error}");
}

/// How far a run gets before it is killed.
const CRASHES: [&str; 5] = ["no topic", "0", "1", "4", "5"];

#[test]
fn a_run_that_is_killed_at_any_moment_is_followed_by_a_complete_one() {
    with_kafka(async |kafka| {
        for crash in CRASHES {
            let (topic, calls) = (kafka.topic("flights"), AtomicU32::new(0));
            let child = Command::new(std::env::current_exe().expect("this test is a program"))
                .args(["--exact", "a_run_that_is_killed", "--ignored", "--nocapture"])
                .env("RUNS_TEST_TOPIC", &topic)
                .env("RUNS_TEST_CRASH", crash)
                .output()
                .expect("this test can start itself");
            let said = String::from_utf8_lossy(&child.stderr);
            assert!(said.contains("killed here"), "killed after {crash}: {said}");

            let filled = filled_with(kafka, &topic, RECORDS, &calls).await.unwrap();
            let expected = if crash == "5" { Filled::Before } else { Filled::Now };
            assert_eq!(filled, expected, "killed after {crash}");
            let found = count(&kafka.client(), &topic).await.unwrap();
            assert_eq!(found, Some(RECORDS), "killed after {crash}");
        }
    });
}

#[test]
#[ignore = "run by another test"]
fn a_run_that_is_killed() {
    let topic = std::env::var("RUNS_TEST_TOPIC").expect("the other test sets it");
    let crash = std::env::var("RUNS_TEST_CRASH").expect("the other test sets it");
    with_kafka(async |kafka| {
        let client = kafka.client();
        let _ = filled_once(&client, &topic, RECORDS, async || {
            if let Ok(records) = crash.parse() {
                make(kafka, &topic).await;
                publish(&client, &topic, records).await;
            }
            eprintln!("killed here");
            std::process::abort();
            #[allow(unreachable_code)]
            Ok::<(), Failure>(())
        })
        .await;
    });
}
