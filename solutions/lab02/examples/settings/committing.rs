//! Consumers: what a commit costs, and where the next one begins after each way to commit.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use lab02_solution::in_flight::Publisher;
use lab02_solution::producer::{ProducerLimits, producer_config};
use lab02_solution::record::Record;
use rdkafka::consumer::{CommitMode, Consumer, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::{Outcome, median};

const ROUNDS: usize = 5;
/// So many records are read of LGA's partition, the one on which nothing else lies.
const RECORDS: usize = 1_800;
const PARTITION: i32 = 0;
/// Written when the batch is full, and what is held then.
const WRITTEN: usize = 500;
const HELD: usize = 250;

/// Publishes the records, so that there is something to read.
async fn fill(kafka: &ClientConfig, topic: &str, records: &[Record]) -> Outcome {
    let producer = producer_config(kafka, &ProducerLimits::default()).create()?;
    let limit = NonZeroUsize::new(1_000).expect("it is not 0");
    let mut publisher = Publisher::new(producer, topic, limit);
    for record in records {
        publisher.send(record.clone()).await?;
    }
    let failed = publisher.close().await.not_delivered.into_iter().next();
    failed.map_or(Ok(()), |failed| Err(failed.into()))
}

/// A consumer of the one partition, from its first record on, whatever its group has committed.
fn consumer(
    kafka: &ClientConfig,
    topic: &str,
    group: &str,
    settings: &[(&str, &str)],
) -> Result<StreamConsumer, KafkaError> {
    let mut config = kafka.clone();
    config.set("group.id", group);
    for (name, value) in settings {
        config.set(*name, *value);
    }
    let consumer: StreamConsumer = config.create()?;
    let mut from_first = TopicPartitionList::new();
    from_first.add_partition_offset(topic, PARTITION, Offset::Beginning)?;
    consumer.assign(&from_first)?;
    Ok(consumer)
}

/// Records per second, by the number of records between two commits that wait for the answer.
pub async fn rates(kafka: &ClientConfig, topic: &str, records: &[Record]) -> Outcome {
    fill(kafka, topic, records).await?;
    let rows = [1, 10, 100, 500];
    let mut figures = vec![Vec::new(); rows.len()];
    for _ in 0..ROUNDS {
        for (every, rates) in rows.iter().zip(&mut figures) {
            let group = format!("{topic}-every-{every}");
            let consumer = consumer(kafka, topic, &group, &[("enable.auto.commit", "false")])?;
            consumer.recv().await?;
            let start = Instant::now();
            for read in 1..=RECORDS {
                let message = consumer.recv().await?;
                if read % every == 0 {
                    consumer.commit_message(&message, CommitMode::Sync)?;
                }
            }
            rates.push(RECORDS as f64 / start.elapsed().as_secs_f64());
        }
    }
    println!("\n| commit after each | records/s |\n|---|---|");
    for (every, rates) in rows.iter().zip(figures) {
        println!("| {every} | {:.0} |", median(rates));
    }
    Ok(())
}

/// A batch of 500 is written, 250 records are held, and the program ends in good order. Where does
/// the next one begin?
pub async fn who_commits(kafka: &ClientConfig, topic: &str, records: &[Record]) -> Outcome {
    fill(kafka, topic, records).await?;
    let rows: [(&str, &[(&str, &str)]); 3] = [
        ("the client (`enable.auto.commit=true`, the default)", &[]),
        (
            "the client, what the program stored (`enable.auto.offset.store=false`)",
            &[("enable.auto.offset.store", "false")],
        ),
        ("the program (`enable.auto.commit=false`)", &[("enable.auto.commit", "false")]),
    ];
    println!("\n| who commits | the next begins at | lost |\n|---|---|---|");
    for (row, (name, settings)) in rows.iter().enumerate() {
        let group = format!("{topic}-who-{row}");
        let consumer = consumer(kafka, topic, &group, settings)?;
        for read in 1..=WRITTEN + HELD {
            let message = consumer.recv().await?;
            match row {
                1 if read == WRITTEN => {
                    consumer.store_offset(topic, PARTITION, message.offset())?;
                }
                2 if read == WRITTEN => consumer.commit_message(&message, CommitMode::Sync)?,
                _ => {}
            }
        }
        drop(consumer);
        let next = committed(kafka, topic, &group)?;
        println!("| {name} | {next} | {} |", next - WRITTEN as i64);
    }
    Ok(())
}

fn committed(kafka: &ClientConfig, topic: &str, group: &str) -> Result<i64, KafkaError> {
    let consumer: StreamConsumer = kafka.clone().set("group.id", group).create()?;
    let mut asked = TopicPartitionList::new();
    asked.add_partition(topic, PARTITION);
    let answer = consumer.committed_offsets(asked, Duration::from_secs(10))?;
    let offset = answer.elements().first().and_then(|partition| partition.offset().to_raw());
    Ok(offset.unwrap_or(0))
}
