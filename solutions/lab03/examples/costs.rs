//! What the choices of chapter 03 cost on this machine, as tables for the book.
//!
//! `cargo run --release -p lab03-solution --example costs`. It takes about a minute, makes topics
//! and a schema of its own, and removes them.
//!
//! The figures are those of one broker and one database on the same machine. Compare the rows of a
//! table; don't take a row for what a cluster would do.

use std::error::Error;
use std::process;
use std::time::{Duration, Instant};

use flights::replay::arrival_order;
use flights::weeks::Week;
use lab01::publish::publish;
use lab01::topic::{Retention, TopicSpec, ready_topic};
use lab03_solution::crash::Effect;
use lab03_solution::guarantee::{Effects, Record, at_least_once};
use lab03_solution::job::{JobConfig, JobError, KafkaToTable};
use lab03_solution::progress::Offsets;
use lab03_solution::sink::Row;
use lab03_solution::start::Start;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rig::Rig;
use runs::RunSchema;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const ANSWER: Duration = Duration::from_secs(10);

/// A partition at whose end nothing came for so long is read to its end.
const SILENCE: Duration = Duration::from_secs(2);

const ROUNDS: usize = 5;

#[tokio::main]
async fn main() -> Outcome<()> {
    let rig = Rig::up()?;
    let prefix = rig.own_name("costs-");
    let (kafka, replication) = (rig.kafka(), rig.replication());
    let topics = Topics { kafka, replication, prefix, names: Vec::new() };
    measure(&rig, topics).await
}

async fn measure(rig: &Rig, mut topics: Topics) -> Outcome<()> {
    let schema = RunSchema::of_run(rig, "lab03_costs").await?;
    let week = topics.make("week", 3).await?;
    publish(&topics.kafka, &week, &arrival_order(Week::Calm.load().departed), &mut |_| {}).await?;
    rates(&topics.kafka, &week, schema.url()).await?;
    let drop = format!("DROP SCHEMA {} CASCADE", schema.name());
    schema.connect().await?.batch_execute(&drop).await?;
    let deleted = topics.make("deleted", 1).await?;
    where_a_client_goes(&topics.kafka, &deleted).await?;
    let open = topics.make("transaction", 1).await?;
    ends_beside_a_transaction(&topics.kafka, &open)?;
    topics.remove().await
}

/// The topics of this program.
struct Topics {
    kafka: ClientConfig,
    replication: i32,
    prefix: String,
    names: Vec<String>,
}

impl Topics {
    async fn make(&mut self, what: &str, partitions: i32) -> Outcome<String> {
        let name = format!("{}{what}-{}", self.prefix, process::id());
        let (replication, retention) = (self.replication, Retention::Forever);
        let spec = TopicSpec { name: name.clone(), partitions, replication, retention };
        ready_topic(&self.kafka, &spec).await?;
        self.names.push(name.clone());
        Ok(name)
    }

    async fn remove(self) -> Outcome<()> {
        let admin: AdminClient<DefaultClientContext> = self.kafka.create()?;
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        for answer in admin.delete_topics(&names, &AdminOptions::new()).await? {
            answer.map_err(|(topic, code)| format!("cannot remove topic `{topic}`: {code}"))?;
        }
        Ok(())
    }
}

/// The job of step 7, one of its effects left out.
struct Without {
    job: KafkaToTable,
    left_out: Option<Effect>,
}

impl Effects for Without {
    type Row = Row;
    type Error = JobError;

    async fn poll(&mut self) -> Result<Vec<Record>, JobError> {
        self.job.poll().await
    }

    fn process(&mut self, record: &Record) -> Result<Row, JobError> {
        self.job.process(record)
    }

    async fn write(&mut self, rows: &[Row]) -> Result<(), JobError> {
        if self.left_out == Some(Effect::Write) {
            return Ok(());
        }
        self.job.write(rows).await
    }

    async fn commit(&mut self, next: &Offsets) -> Result<(), JobError> {
        if self.left_out == Some(Effect::Commit) {
            return Ok(());
        }
        self.job.commit(next).await
    }
}

/// The calm week through the job, by the size of a batch.
async fn rates(kafka: &ClientConfig, topic: &str, database: &str) -> Outcome<()> {
    println!("\n| a batch has at most | the job | without its writes | without its commits |");
    println!("|---|---|---|---|");
    for batch_records in [1, 10, 100, 500] {
        print!("| {batch_records} |");
        for left_out in [None, Some(Effect::Write), Some(Effect::Commit)] {
            let mut rates = Vec::with_capacity(ROUNDS);
            for round in 0..ROUNDS {
                let config = JobConfig {
                    kafka: kafka.clone(),
                    topic: topic.to_owned(),
                    group: format!("{topic}-{batch_records}-{left_out:?}-{round}"),
                    database: database.parse()?,
                    start: Start::Earliest,
                    batch_records,
                };
                rates.push(rate(&config, left_out).await?);
            }
            rates.sort_by(f64::total_cmp);
            print!(" {:.0} |", rates[ROUNDS / 2]);
        }
        println!();
    }
    Ok(())
}

/// Records per second, from the first one that is polled to the last one that is committed. The
/// rows are new: the table is emptied before.
async fn rate(config: &JobConfig, left_out: Option<Effect>) -> Outcome<f64> {
    let mut effects = Without { job: KafkaToTable::open(config).await?, left_out };
    let (database, connection) = config.database.connect(tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    database.batch_execute("TRUNCATE processed_events").await?;
    while at_least_once(&mut effects).await? == 0 {}
    let (began, mut records) = (Instant::now(), 0);
    while !effects.job.is_at_the_end() {
        records += at_least_once(&mut effects).await?;
    }
    Ok(records as f64 / began.elapsed().as_secs_f64())
}

/// A group that committed 10 of 60 records, of which 50 are deleted.
async fn where_a_client_goes(kafka: &ClientConfig, topic: &str) -> Outcome<()> {
    let producer: BaseProducer = kafka.create()?;
    send(&producer, topic, 60)?;
    producer.flush(ANSWER)?;
    let admin: AdminClient<DefaultClientContext> = kafka.create()?;
    let up_to = at(topic, Offset::Offset(50))?;
    admin.delete_records(&up_to, &AdminOptions::new()).await?;
    println!("\n| `auto.offset.reset` | the client reads | and says |");
    println!("|---|---|---|");
    for policy in ["earliest", "latest", "error"] {
        let consumer: BaseConsumer = kafka
            .clone()
            .set("group.id", format!("{topic}-{policy}"))
            .set("enable.auto.commit", "false")
            .set("auto.offset.reset", policy)
            .create()?;
        consumer.assign(&at(topic, Offset::Offset(10))?)?;
        let (read, said) = read_to_the_end(&consumer);
        println!("| `{policy}` | {read} of 50 | {said} |");
    }
    Ok(())
}

/// Polls until nothing comes or an error does.
fn read_to_the_end(consumer: &BaseConsumer) -> (usize, String) {
    let mut read = 0;
    loop {
        match consumer.poll(SILENCE) {
            Some(Ok(_)) => read += 1,
            Some(Err(error)) => return (read, error.to_string()),
            None => return (read, "nothing".to_owned()),
        }
    }
}

/// The end of a partition as clients see it, while a transaction is open and behind it.
fn ends_beside_a_transaction(kafka: &ClientConfig, topic: &str) -> Outcome<()> {
    let producer: BaseProducer = kafka.clone().set("transactional.id", topic).create()?;
    producer.init_transactions(ANSWER)?;
    producer.begin_transaction()?;
    send(&producer, topic, 10)?;
    producer.flush(ANSWER)?;
    println!("\n| 10 records of one transaction | `read_committed` | `read_uncommitted` |");
    println!("|---|---|---|");
    print_ends(kafka, topic, "it is open")?;
    producer.commit_transaction(ANSWER)?;
    print_ends(kafka, topic, "it is committed")
}

fn print_ends(kafka: &ClientConfig, topic: &str, when: &str) -> Outcome<()> {
    print!("| {when} |");
    for level in ["read_committed", "read_uncommitted"] {
        let consumer: BaseConsumer = kafka.clone().set("isolation.level", level).create()?;
        print!(" {} |", consumer.fetch_watermarks(topic, 0, ANSWER)?.1);
    }
    println!();
    Ok(())
}

fn send(producer: &BaseProducer, topic: &str, records: usize) -> Outcome<()> {
    for _ in 0..records {
        let record = BaseRecord::<(), str>::to(topic).partition(0).payload("a record");
        producer.send(record).map_err(|(error, _)| error)?;
    }
    Ok(())
}

fn at(topic: &str, offset: Offset) -> Outcome<TopicPartitionList> {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, 0, offset)?;
    Ok(list)
}
