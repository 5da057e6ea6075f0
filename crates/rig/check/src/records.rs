//! Records written, read and deleted.

use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Header, Headers, Message, OwnedHeaders, Timestamp};
use rdkafka::producer::future_producer::Delivery;
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tokio::sync::watch::{self, Receiver};
use tokio::time::timeout;

use crate::held_back::{self, HeldBack};
use crate::report::Answer;
use crate::trial::Trial;

/// The partition with records of 2013.
const OLD: i32 = 0;

/// The partition with records of today.
const NEW: i32 = 1;

/// 4 February 2013, 00:00 UTC.
const OLD_MS: i64 = 1_359_936_000_000;

/// An hour later.
const LATER_MS: i64 = OLD_MS + 60 * 60 * 1_000;

const LARGE_BYTES: usize = 900_000;

/// How often the client gives its statistics, in which it says whether it is held back.
const STATISTICS_MS: &str = "100";

/// The client's own `transaction.timeout.ms`.
const USUAL_TRANSACTION: Duration = Duration::from_secs(60);

/// A broker's own `transaction.max.timeout.ms`: it refuses producers that ask for more.
const LONGEST_TRANSACTION: Duration = Duration::from_secs(15 * 60);

const KEY: &str = "EWR";
const HEADER: (&str, &str) = ("content-type", "application/json");
const PAYLOAD: &str = "{}";

/// A record with key and header.
fn record<'a>(topic: &'a str, partition: i32, payload: &'a [u8]) -> FutureRecord<'a, str, [u8]> {
    let (key, value) = HEADER;
    let headers = OwnedHeaders::new().insert(Header { key, value: Some(value) });
    FutureRecord::to(topic).partition(partition).key(KEY).payload(payload).headers(headers)
}

async fn send(
    producer: &FutureProducer<HeldBack>,
    record: FutureRecord<'_, str, [u8]>,
    trial: &Trial,
) -> Result<Delivery, KafkaError> {
    producer.send(record, trial.limit).await.map_err(|(error, _)| error)
}

/// A producer that waits for deliveries as long as an answer may take, and a listener for how long
/// brokers hold it back.
fn producer(
    trial: &Trial,
    more_settings: &[(&str, &str)],
) -> Result<(FutureProducer<HeldBack>, Receiver<Duration>), KafkaError> {
    let mut settings = trial.kafka.clone();
    settings.set("delivery.timeout.ms", trial.limit.as_millis().to_string());
    settings.set("statistics.interval.ms", STATISTICS_MS);
    for (name, value) in more_settings {
        settings.set(*name, *value);
    }
    let (tells, listens) = watch::channel(Duration::ZERO);
    Ok((settings.create_with_context(HeldBack(tells))?, listens))
}

fn idempotent(trial: &Trial) -> Result<FutureProducer<HeldBack>, KafkaError> {
    Ok(producer(trial, &[("enable.idempotence", "true")])?.0)
}

/// Writes a record of today by an idempotent producer. `in_sync` is the topic's
/// `min.insync.replicas`.
///
/// # Errors
/// With a sentence.
pub async fn write(trial: &Trial, in_sync: i32) -> Result<String, String> {
    let replication = trial.replication();
    if in_sync > replication {
        return Err(format!(
            "min.insync.replicas is {in_sync}, and topics are kept {replication} times, so nothing could \
             be written; set TIDEMARK_REPLICATION={in_sync} or more"
        ));
    }
    let record = record(&trial.name, NEW, PAYLOAD.as_bytes());
    let written = async { send(&idempotent(trial)?, record, trial).await };
    written.await.map_err(|error| format!("a record cannot be written: {error}"))?;
    Ok(format!("a record is written; min.insync.replicas={in_sync}"))
}

/// Writes a record of 2013.
///
/// # Errors
/// With a sentence.
pub async fn write_old(trial: &Trial) -> Result<String, String> {
    let record = record(&trial.name, OLD, PAYLOAD.as_bytes()).timestamp(OLD_MS);
    let written = async { send(&idempotent(trial)?, record, trial).await };
    match written.await {
        Ok(_) => Ok("taken".to_owned()),
        Err(error) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::InvalidTimestamp) => {
            Err("refused; ask who runs it for message.timestamp.before.max.ms=9223372036854775807"
                .to_owned())
        }
        Err(error) => Err(format!("a record of 2013 cannot be written: {error}")),
    }
}

/// Writes a record that is as large as most clients allow, an hour after the first one of 2013. Gives
/// for how long the broker then holds this user back.
///
/// # Errors
/// With a sentence.
pub async fn write_large(trial: &Trial) -> Result<Duration, String> {
    let payload = vec![b'a'; LARGE_BYTES];
    let written = async {
        let (producer, listener) = producer(trial, &[("enable.idempotence", "true")])?;
        let record = record(&trial.name, OLD, &payload).timestamp(LATER_MS);
        send(&producer, record, trial).await?;
        Ok(held_back::told(listener, trial.limit).await)
    };
    written.await.map_err(|error: KafkaError| {
        format!("{error}; ask who runs it for message.max.bytes=1048588, Kafka's default")
    })
}

/// Whether a record of 900 kB may be written as often as the labs do.
pub fn pace(held_back: Duration, limit: Duration) -> Answer {
    let found = || held_back::sentence(held_back);
    match held_back {
        Duration::ZERO => Answer::Ok("nothing holds you back".to_owned()),
        some if some <= limit => Answer::Note(found()),
        _ => Answer::Missing(found()),
    }
}

/// Reads the two records of 2013 and compares the first.
///
/// # Errors
/// With a sentence.
pub async fn read(trial: &Trial) -> Result<String, String> {
    let consumer = consumer(&trial.kafka, &trial.name).map_err(|error| error.to_string())?;
    let mut from = TopicPartitionList::new();
    from.add_partition_offset(&trial.name, OLD, Offset::Beginning)
        .and_then(|()| consumer.assign(&from))
        .map_err(|error| error.to_string())?;
    for expected_bytes in [PAYLOAD.len(), LARGE_BYTES] {
        let read = timeout(trial.limit, consumer.recv()).await;
        let message = read
            .map_err(|_| format!("no record came back within {} s", trial.limit.as_secs()))?
            .map_err(|error| format!("records cannot be read: {error}"))?;
        let found_bytes = message.payload().map_or(0, <[u8]>::len);
        if found_bytes != expected_bytes {
            return Err(format!(
                "expected a payload of {expected_bytes} bytes, found {found_bytes}"
            ));
        }
        same_but_for_the_payload(&message)?;
    }
    Ok("what was written came back".to_owned())
}

/// A consumer that begins with the first record and commits nothing by itself.
pub fn consumer(kafka: &ClientConfig, group: &str) -> Result<StreamConsumer, KafkaError> {
    let mut settings = kafka.clone();
    settings
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "earliest")
        .create()
}

fn same_but_for_the_payload(message: &BorrowedMessage<'_>) -> Result<(), String> {
    if message.key() != Some(KEY.as_bytes()) {
        return Err("the key came back as another one".to_owned());
    }
    let (key, value) = HEADER;
    let header = message.headers().and_then(|headers| headers.iter().next());
    if header.map(|header| (header.key, header.value)) != Some((key, Some(value.as_bytes()))) {
        return Err("the header came back as another one, or none".to_owned());
    }
    match message.timestamp() {
        Timestamp::CreateTime(OLD_MS | LATER_MS) => Ok(()),
        found => Err(format!(
            "expected the timestamp that was written, found {found:?}; ask who runs it for \
             message.timestamp.type=CreateTime"
        )),
    }
}

/// Looks for the first record after the first one of 2013.
///
/// # Errors
/// With a sentence.
pub fn find_by_time(trial: &Trial) -> Result<String, String> {
    let consumer = consumer(&trial.kafka, &trial.name).map_err(|error| error.to_string())?;
    let mut asked = TopicPartitionList::new();
    let found = asked
        .add_partition_offset(&trial.name, OLD, Offset::Offset(OLD_MS + 1))
        .and_then(|()| consumer.offsets_for_times(asked, trial.limit))
        .map_err(|error| format!("not told: {error}"))?;
    let found = found.elements().first().map(|partition| partition.offset());
    match found {
        Some(Offset::Offset(1)) => Ok("the second record is found by its time".to_owned()),
        other => Err(format!("expected offset 1 for the second record's time, found {other:?}")),
    }
}

/// Deletes the first record of 2013.
///
/// # Errors
/// With a sentence.
pub async fn delete(trial: &Trial) -> Result<String, String> {
    let mut before = TopicPartitionList::new();
    before
        .add_partition_offset(&trial.name, OLD, Offset::Offset(1))
        .map_err(|error| error.to_string())?;
    let answer = trial.admin.delete_records(&before, &trial.options()).await;
    let deleted = answer.map_err(|error| format!("refused: {error}"))?;
    if let Some(error) = deleted.elements().first().and_then(|partition| partition.error().err()) {
        return Err(format!("refused: {error}; ask for the right to delete records"));
    }
    let began = Instant::now();
    loop {
        let bounds = trial.admin.inner().fetch_watermarks(&trial.name, OLD, trial.limit);
        match bounds.map_err(|error| error.to_string())? {
            (1, _) => return Ok("a record is gone when it was deleted".to_owned()),
            (first, _) if began.elapsed() > trial.limit => {
                return Err(format!("expected the first offset to be 1, found {first}"));
            }
            _ => {}
        }
    }
}

/// Writes a record in a transaction.
///
/// # Errors
/// With a sentence.
pub async fn write_in_a_transaction(trial: &Trial) -> Result<String, String> {
    let limit = trial.limit.min(LONGEST_TRANSACTION);
    let limit_ms = limit.as_millis().to_string();
    let timeout_ms = limit.max(USUAL_TRANSACTION).as_millis().to_string();
    let settings = [
        ("transactional.id", trial.name.as_str()),
        ("transaction.timeout.ms", &timeout_ms),
        // No longer than the transaction.
        ("delivery.timeout.ms", &limit_ms),
    ];
    let made = producer(trial, &settings);
    let (producer, listener) = made.map_err(|error| error.to_string())?;
    let written = async {
        producer.init_transactions(limit)?;
        producer.begin_transaction()?;
        send(&producer, record(&trial.name, NEW, PAYLOAD.as_bytes()), trial).await?;
        producer.commit_transaction(limit)
    };
    let Err(error) = written.await else { return Ok("a record is written in one".to_owned()) };
    let held_back = *listener.borrow();
    Err(if held_back.is_zero() {
        format!("{error}; ask for the rights to transactional ids that begin with your prefix")
    } else {
        format!("{error}; {}", held_back::sentence(held_back))
    })
}

/// The time at which the broker has taken a record.
///
/// # Errors
/// With a sentence.
pub async fn brokers_time_ms(trial: &Trial) -> Result<i64, String> {
    let written = async {
        // The record's own time is another one, so that it is not taken for the broker's.
        let record = record(&trial.clock_topic, 0, PAYLOAD.as_bytes()).timestamp(OLD_MS);
        send(&idempotent(trial)?, record, trial).await
    };
    match written.await.map_err(|error| error.to_string())?.timestamp {
        Timestamp::CreateTime(OLD_MS) | Timestamp::NotAvailable => {
            Err("the broker does not say when it has taken a record".to_owned())
        }
        Timestamp::LogAppendTime(ms) | Timestamp::CreateTime(ms) => Ok(ms),
    }
}
