//! Producers: how fast with which settings, how long one record takes, what a queue holds.

use std::fs;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use lab02_solution::in_flight::Publisher;
use lab02_solution::producer::{ProducerLimits, producer_config, send_one};
use lab02_solution::record::Record;
use rdkafka::ClientConfig;
use rdkafka::producer::FutureProducer;

use crate::{Outcome, median};

/// Every row is measured so often, in turns with the others; the table shows the medians.
const ROUNDS: usize = 5;
/// So many records measure a rate.
const RECORDS: usize = 50_000;
/// So many, where each is awaited before the next is sent.
const RECORDS_ONE_BY_ONE: usize = 500;
/// So many single records measure how long one takes.
const ALONE: usize = 21;

/// A row: its name, the limit in flight, and what it sets otherwise than the lab.
type Row = (&'static str, usize, &'static [(&'static str, &'static str)]);

const ROWS: [Row; 11] = [
    ("the lab's: `acks=all`, idempotent, `linger.ms=5`, 1,000 in flight", 1_000, &[]),
    ("`acks=1`, not idempotent", 1_000, &[("acks", "1"), ("enable.idempotence", "false")]),
    ("`acks=0`, not idempotent", 1_000, &[("acks", "0"), ("enable.idempotence", "false")]),
    ("`max.in.flight=1`", 1_000, &[("max.in.flight.requests.per.connection", "1")]),
    ("`linger.ms=0`", 1_000, &[("linger.ms", "0")]),
    ("`linger.ms=50`", 1_000, &[("linger.ms", "50")]),
    ("10 in flight", 10, &[]),
    ("100 in flight", 100, &[]),
    ("10,000 in flight", 10_000, &[]),
    ("1 in flight: each record awaited", 1, &[]),
    ("1 in flight, `linger.ms=0`", 1, &[("linger.ms", "0")]),
];

/// Records per second, and milliseconds for a record that is alone.
pub async fn rates(kafka: &ClientConfig, topic: &str, records: &[Record]) -> Outcome {
    let mut figures: Vec<(Vec<f64>, Vec<f64>)> = vec![Default::default(); ROWS.len()];
    for _ in 0..ROUNDS {
        for ((_, limit, settings), (rates, alone)) in ROWS.iter().zip(&mut figures) {
            let producer = producer(kafka, settings)?;
            // The first record makes connections; it is not measured.
            send_one(&producer, topic, &records[0]).await?;
            let mut alone_ms = Vec::new();
            for record in &records[..ALONE] {
                let start = Instant::now();
                send_one(&producer, topic, record).await?;
                alone_ms.push(start.elapsed().as_secs_f64() * 1e3);
            }
            alone.push(median(alone_ms));
            rates.push(rate(producer, topic, *limit, records).await);
        }
    }
    println!("\n| settings | records/s | one record alone |\n|---|---|---|");
    for ((name, ..), (rates, alone)) in ROWS.iter().zip(figures) {
        println!("| {name} | {:.0} | {:.1} ms |", median(rates), median(alone));
    }
    Ok(())
}

fn producer(
    kafka: &ClientConfig,
    settings: &[(&str, &str)],
) -> Result<FutureProducer, rdkafka::error::KafkaError> {
    let limits = ProducerLimits { queued_records: 100_000, ..ProducerLimits::default() };
    let mut config = producer_config(kafka, &limits);
    for (name, value) in settings {
        config.set(*name, *value);
    }
    config.create()
}

async fn rate(producer: FutureProducer, topic: &str, limit: usize, records: &[Record]) -> f64 {
    let count = if limit == 1 { RECORDS_ONE_BY_ONE } else { RECORDS };
    let limit = NonZeroUsize::new(limit).expect("no row has 0");
    let mut publisher = Publisher::new(producer, topic, limit);
    let start = Instant::now();
    for record in records.iter().cycle().take(count) {
        publisher.send(record.clone()).await.expect("the broker stays up");
    }
    let published = publisher.close().await;
    assert_eq!((published.delivered, published.not_delivered.len()), (count as u64, 0));
    count as f64 / start.elapsed().as_secs_f64()
}

/// What waits in a queue when no broker answers: how many records, how much memory, how long.
pub async fn full_queues(records: &[Record]) -> Outcome {
    println!("\n| `queue.buffering.max.messages` | records taken | memory |\n|---|---|---|");
    for limit in [1_000, 10_000, 100_000] {
        let limits = ProducerLimits { queued_records: limit, ..ProducerLimits::default() };
        let producer: FutureProducer = producer_config(&nobody(), &limits).create()?;
        let before = resident_kb();
        let mut reports = Vec::new();
        for record in records.iter().cycle() {
            match producer.send_result(record.to_outgoing("nowhere")) {
                Ok(report) => reports.push(report),
                Err(_) => break,
            }
        }
        let grown = match (before, resident_kb()) {
            (Some(before), Some(now)) => format!("{:.1} MB", (now - before) as f64 / 1024.0),
            _ => "not known on this system".to_owned(),
        };
        println!("| {limit} | {} | {grown} |", reports.len());
    }
    println!("\n| `message.timeout.ms` | no broker: the answer after |\n|---|---|");
    for timeout in [Duration::from_secs(1), Duration::from_secs(5)] {
        let limits = ProducerLimits { delivery_timeout: timeout, ..ProducerLimits::default() };
        let producer: FutureProducer = producer_config(&nobody(), &limits).create()?;
        let start = Instant::now();
        let answer = send_one(&producer, "nowhere", &records[0]).await;
        let error = answer.expect_err("nobody is there").error;
        println!("| {} | {:.1} s: {error} |", timeout.as_millis(), start.elapsed().as_secs_f64());
    }
    Ok(())
}

/// No broker listens there.
fn nobody() -> ClientConfig {
    let mut nobody = ClientConfig::new();
    nobody.set("bootstrap.servers", "127.0.0.1:1");
    nobody.set_log_level(rdkafka::config::RDKafkaLogLevel::Emerg);
    nobody
}

/// The memory that this process has at the moment, where Linux tells.
fn resident_kb() -> Option<i64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
