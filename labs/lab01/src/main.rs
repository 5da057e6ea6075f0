//! Given: `cargo run -p lab01` publishes a week of flights with the code of this lab.
//!
//! Arguments, rig, call, output: all the rest is in the library.

mod board;

use std::error::Error;
use std::io::{self, Write, stdout};
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use flights::replay::arrival_order;
use flights::weeks::Week;
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use lab01::layout::{PartitionContents, first_unordered_pair, partition_contents};
use lab01::publish::{Delivery, publish};
use lab01::readback::read_topic;
use lab01::topic::{Retention, TopicSpec, broker_timeout, ready_topic};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::RDKafkaErrorCode;
use rig::Rig;
use rig::ending::exit_code;

/// Publishes a week of real flights with the code of lab 01 and shows where each airport's went.
///
/// Kafka is found or started by itself. The topic is named after the package and the week, such as
/// `lab01.calm`; every run empties it first, so that a second run doubles nothing.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The week: `calm` (18-24 February 2013) or `storm` (4-10 February 2013)
    #[arg(long, default_value = "calm")]
    week: Week,
    /// Publish only so many flights, the first to leave
    #[arg(long, value_name = "FLIGHTS")]
    limit: Option<usize>,
    /// How many partitions the topic has
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(i32).range(1..=100))]
    partitions: i32,
    /// Read the topic back and print it as a departures list
    #[arg(long)]
    board: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    rig::unfinished::explain_holes("lab01");
    exit_code(run(&Arguments::parse(), &mut stdout()).await)
}

async fn run(arguments: &Arguments, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let week = arguments.week.load();
    let mut flights = arrival_order(week.departed);
    flights.truncate(arguments.limit.unwrap_or(usize::MAX));

    let rig = Rig::up()?;
    let kafka = rig.kafka();
    // After the package: a run of the reference answer leaves a learner's own topics alone.
    let package = env!("CARGO_PKG_NAME");
    let topic = format!("{}{package}.{}", rig.prefix(), arguments.week.name());
    let spec = TopicSpec {
        name: topic.clone(),
        partitions: arguments.partitions,
        replication: rig.replication(),
        retention: Retention::Forever,
    };
    remove_topic(&kafka, &topic).await?;
    ready_topic(&kafka, &spec).await?;

    writeln!(
        out,
        "{}: {} left, in this order; {} were cancelled and never arrive",
        arguments.week.title(),
        counted(flights.len(), "flight"),
        HumanCount(week.cancelled.len() as u64)
    )?;
    let bar = progress_bar(flights.len(), &topic);
    let began = Instant::now();
    let deliveries = publish(&kafka, &topic, &flights, &mut |_| bar.inc(1)).await?;
    bar.finish_and_clear();
    let took_s = began.elapsed().as_secs_f32();
    let delivered = counted(deliveries.len(), "record");
    writeln!(out, "{delivered} delivered to {topic} in {took_s:.1} s\n")?;

    print_layout(out, &partition_contents(arguments.partitions, &deliveries))?;
    print_order(out, &deliveries)?;
    if arguments.board {
        let read_from = topic.clone();
        let records = tokio::task::spawn_blocking(move || read_topic(&kafka, &read_from)).await??;
        let read = counted(records.len(), "record");
        writeln!(out, "\nNew York departures, {read} read back from {topic}")?;
        write!(out, "{}", board::departures(&records))?;
    }
    writeln!(
        out,
        "\nLook: bin/kafka-console-consumer --topic {topic} --from-beginning --max-messages 3"
    )?;
    Ok(())
}

/// Removes the topic of an earlier run; fine when there is none.
async fn remove_topic(kafka: &ClientConfig, topic: &str) -> Result<(), Box<dyn Error>> {
    let admin: AdminClient<DefaultClientContext> = kafka.create()?;
    let options = AdminOptions::new().request_timeout(Some(broker_timeout(kafka)));
    let answers = admin.delete_topics(&[topic], &options).await.map_err(|error| {
        let brokers = kafka.get("bootstrap.servers").unwrap_or_default();
        format!("no broker answers at {brokers}: {error}")
    })?;
    for answer in answers {
        match answer {
            Ok(_) | Err((_, RDKafkaErrorCode::UnknownTopicOrPartition)) => {}
            Err((topic, code)) => return Err(format!("cannot empty {topic}: {code}").into()),
        }
    }
    Ok(())
}

/// A bar on the standard error; nothing where that is no terminal.
fn progress_bar(flights: usize, topic: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(
        "publishing to {msg} {bar:40} {human_pos} of {human_len} · {per_sec}",
    );
    let bar = ProgressBar::new(flights as u64).with_message(topic.to_owned());
    bar.with_style(style.expect("the template is tested by every run"))
}

fn print_layout(out: &mut impl Write, contents: &[PartitionContents]) -> io::Result<()> {
    writeln!(out, " partition   records   airports")?;
    for PartitionContents { partition, records_by_key } in contents {
        let records: u64 = records_by_key.values().sum();
        let airports: Vec<String> =
            records_by_key.iter().map(|(key, n)| format!("{key} {}", HumanCount(*n))).collect();
        let airports =
            if airports.is_empty() { "none: empty".to_owned() } else { airports.join(" · ") };
        let records = HumanCount(records).to_string();
        writeln!(out, " {partition:>9}   {records:>7}   {airports}")?;
    }
    Ok(())
}

fn print_order(out: &mut impl Write, deliveries: &[Delivery]) -> io::Result<()> {
    let Some((first, second)) = first_unordered_pair(deliveries) else {
        let same = "Every reader meets these records in the order in which they were published.";
        return writeln!(out, "{same}");
    };
    let place = |index: usize| {
        let Delivery { key, partition, offset } = &deliveries[index];
        format!("{key} at partition {partition}, offset {offset}")
    };
    writeln!(out, "Order: {}, then {}.", place(first), place(second))?;
    writeln!(out, "A reader may meet these two either way; within a partition it never does.")
}

/// `1 flight`, `6,292 flights`.
fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {what}{plural}", HumanCount(count as u64))
}
