//! The contenders: the reference answers, and the bare loops that they are measured against.

use std::error::Error;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::time::Duration;

use lab01_solution::event::decode;
use lab02_solution::dead_letters::{DeadLetterQueue, Told, consume};
use lab02_solution::in_flight::Publisher;
use lab02_solution::producer::{ProducerLimits, producer_config};
use lab02_solution::record::{Record, RecordHeaders};
use lab03_solution::guarantee::Effects;
use lab03_solution::job::{JobConfig, KafkaToTable};
use lab03_solution::start::Start;
use rdkafka::consumer::{BaseConsumer, Consumer, StreamConsumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, Message, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer, ThreadedProducer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::PARTITIONS;
use crate::measure::{Clock, Run};

type Outcome = Result<Run, Box<dyn Error>>;

const TIMEOUT: Duration = Duration::from_secs(60);
/// Between two looks for room in a full queue.
const PAUSE_WHEN_FULL: Duration = Duration::from_millis(1);

/// The topic, and what is on it or goes to it.
pub struct Ground {
    /// What every producer starts from.
    pub kafka: ClientConfig,
    /// What every consumer starts from.
    pub consumer: ClientConfig,
    /// The database that lab 03's job opens.
    pub database: String,
    /// The topic.
    pub topic: String,
    /// A group that nobody is a member of; nothing is committed.
    pub group: String,
    /// Made before the clock begins.
    pub records: Vec<Record>,
}

impl Ground {
    fn bytes(&self) -> u64 {
        self.records.iter().map(|record| payload_len(record.payload.as_deref())).sum()
    }

    fn every_partition(&self) -> Result<TopicPartitionList, KafkaError> {
        let mut all = TopicPartitionList::new();
        for partition in 0..PARTITIONS {
            all.add_partition_offset(&self.topic, partition, Offset::Beginning)?;
        }
        Ok(all)
    }

    /// The same for every consumer here, and the same as lab 03 sets.
    fn consumer_config(&self) -> ClientConfig {
        let mut config = self.consumer.clone();
        config
            .set("group.id", &self.group)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "error");
        config
    }
}

fn payload_len(payload: Option<&[u8]>) -> u64 {
    payload.map_or(0, |payload| payload.len() as u64)
}

/// Lab 02's publisher.
///
/// # Errors
/// When a record is not delivered.
pub async fn publisher(ground: &Ground, in_flight: NonZeroUsize) -> Outcome {
    let producer = producer_config(&ground.kafka, &ProducerLimits::default()).create()?;
    let mut publisher = Publisher::new(producer, &ground.topic, in_flight);
    let records = ground.records.clone();
    let clock = Clock::begin();
    for record in records {
        publisher.send(record).await?;
    }
    let published = publisher.close().await;
    let run = clock.end(published.delivered, ground.bytes());
    match published.not_delivered.into_iter().next() {
        Some(failed) => Err(failed.into()),
        None => Ok(run),
    }
}

/// The client's own producer with the same settings: hand over, wait where the queue is full, and
/// flush at the end. It looks at no delivery report.
///
/// # Errors
/// When the client refuses a record, or the end is not flushed.
pub fn bare_producer(ground: &Ground) -> Outcome {
    let producer: ThreadedProducer<_> =
        producer_config(&ground.kafka, &ProducerLimits::default()).create()?;
    let clock = Clock::begin();
    for record in &ground.records {
        let mut outgoing = to_base_record(&ground.topic, record);
        while let Err((error, refused)) = producer.send(outgoing) {
            if error != KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull) {
                return Err(error.into());
            }
            std::thread::sleep(PAUSE_WHEN_FULL);
            outgoing = refused;
        }
    }
    producer.flush(TIMEOUT)?;
    Ok(clock.end(ground.records.len() as u64, ground.bytes()))
}

fn to_base_record<'a>(topic: &'a str, record: &'a Record) -> BaseRecord<'a, [u8], [u8]> {
    let mut outgoing = BaseRecord::to(topic).headers(headers(&record.headers));
    outgoing.key = record.key.as_deref();
    outgoing.payload = record.payload.as_deref();
    outgoing.timestamp = record.timestamp_ms;
    outgoing
}

fn headers(headers: &RecordHeaders) -> OwnedHeaders {
    headers.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
        headers.insert(Header { key, value: value.as_deref() })
    })
}

/// Lab 02's loop: reads, decodes strictly, tells.
///
/// # Errors
/// When the broker refuses.
pub async fn consume_loop(ground: &Ground) -> Outcome {
    let producer = producer_config(&ground.kafka, &ProducerLimits::default()).create()?;
    // Nothing goes there: every record is a flight.
    let queue = DeadLetterQueue { producer, topic: ground.topic.clone() };
    let consumer: StreamConsumer = ground.consumer_config().create()?;
    let expected = ground.records.len() as u64;
    let mut read = 0;
    let clock = Clock::begin();
    consumer.assign(&ground.every_partition()?)?;
    consume(&consumer, &queue, &mut |told| {
        read += u64::from(matches!(told, Told::Read(_)));
        if read == expected { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .await?;
    Ok(clock.end(read, ground.bytes()))
}

/// Lab 03's polls and its strict decoding, without its writes and commits.
///
/// # Errors
/// When broker or database refuse, or a record is no flight.
pub async fn poll_loop(ground: &Ground, batch_records: usize) -> Outcome {
    let config = JobConfig {
        kafka: ground.consumer.clone(),
        topic: ground.topic.clone(),
        group: ground.group.clone(),
        database: ground.database.parse()?,
        start: Start::Earliest,
        batch_records,
    };
    let clock = Clock::begin();
    let mut job = KafkaToTable::open(&config).await?;
    let (mut read, mut bytes) = (0, 0);
    while !job.is_at_the_end() {
        for record in job.poll().await? {
            bytes += record.payload.len() as u64;
            read += 1;
            std::hint::black_box(job.process(&record)?);
        }
    }
    Ok(clock.end(read, bytes))
}

/// The client's own consumer with the same settings; it looks at no byte, or decodes every payload
/// as the labs do.
///
/// # Errors
/// When the broker refuses, or a record is no flight.
pub fn bare_consumer(ground: &Ground, decodes: bool) -> Outcome {
    let consumer: BaseConsumer = ground.consumer_config().create()?;
    let (mut read, mut bytes) = (0, 0);
    let clock = Clock::begin();
    consumer.assign(&ground.every_partition()?)?;
    while read < ground.records.len() as u64 {
        let message = consumer.poll(TIMEOUT).ok_or("the broker gives no record")??;
        if decodes {
            std::hint::black_box(decode(message.payload().unwrap_or_default())?);
        }
        bytes += payload_len(message.payload());
        read += 1;
    }
    Ok(clock.end(read, bytes))
}
