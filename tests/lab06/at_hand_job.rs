//! Topics, tables and jobs that the tests use.

use std::time::Duration;

use lab03::broker::Outsider;
use lab05::board::BoardConfig;
use lab05::input::Until;
use lab06::interval::Interval;
use lab06::job::{Begin, JobConfig};
use lab06::recovery::Which;
use lab06::turn::Record;
use rdkafka::admin::{AdminOptions, NewTopic, TopicReplication};
use rdkafka::producer::{FutureProducer, FutureRecord};
use testkit::{TestDatabase, TestKafka, TestRig, until};
use tokio_postgres::{Client, Config};

use super::at_hand::board;

/// How long a job on a small topic may take in these tests.
pub const BOUND: Duration = Duration::from_secs(20);

/// Makes a topic of this name, of one partition, also where one of this name is being deleted.
pub async fn make_topic(kafka: &TestKafka, topic: &str) {
    let replication = TopicReplication::Fixed(kafka.replication());
    let settings = NewTopic::new(topic, 1, replication).set("retention.ms", "-1");
    let options = AdminOptions::new().operation_timeout(Some(BOUND));
    until(BOUND, format!("topic {topic}, made anew"), async || {
        let answers = kafka.admin().create_topics([&settings], &options).await;
        let answer = answers.map_err(|error| error.to_string())?.remove(0);
        answer.map(|_| ()).map_err(|(_, code)| code.to_string())
    })
    .await;
    until(BOUND, format!("a leader of topic {topic}"), async || {
        let outsider =
            Outsider::new(&kafka.client(), topic, "nobody").map_err(|e| e.to_string())?;
        let bounds = outsider.bounds().map_err(|error| error.to_string())?;
        if bounds.len() == 1 { Ok(()) } else { Err("no partition".to_owned()) }
    })
    .await;
}

/// Puts records on their partitions, in this order. The broker gives them their offsets.
pub async fn put(kafka: &TestKafka, topic: &str, records: &[Record]) {
    let mut settings = kafka.client();
    settings.set("linger.ms", "0").set("enable.idempotence", "true");
    let producer: FutureProducer = settings.create().expect("the settings are good");
    let mut deliveries = Vec::new();
    for record in records {
        let record = FutureRecord::<str, [u8]>::to(topic)
            .partition(record.partition)
            .timestamp(record.timestamp_ms)
            .payload(&record.payload);
        deliveries.push(producer.send_result(record).map_err(|(error, _)| error));
    }
    for delivery in deliveries {
        let answer = delivery.expect("there is room").await.expect("it is answered");
        answer.expect("the broker takes it");
    }
}

/// A database's address with a schema of its own: `machine` may be another machine.
pub async fn machine(database: &TestDatabase, machine: &str) -> Config {
    let client = database.connect().await;
    let create = format!("CREATE SCHEMA IF NOT EXISTS {machine}");
    client.batch_execute(&create).await.expect("the database makes a schema");
    let mut config: Config = database.url().parse().expect("the rig's address can be read");
    config.options(format!("-c search_path={machine}"));
    config
}

/// A connection to such a schema.
pub async fn connect(config: &Config) -> Client {
    lab02::table::connect(config).await.expect("the database takes connections")
}

/// A job that makes a checkpoint after every seven records and results, and ends at the end.
pub fn job_config(rig: &TestRig, topic: &str, database: Config) -> JobConfig {
    JobConfig {
        job: "board".to_owned(),
        kafka: rig.kafka.client(),
        topic: topic.to_owned(),
        database,
        board: BoardConfig { idle_after: None, ..board() },
        interval: Interval { every: Duration::from_secs(3_600), changes: 7 },
        until: Until::TheEnd,
        begin: Begin::Checkpoint(Which::Latest),
        epoch: None,
    }
}

/// All that the tables say of flights, as text in order: results, dropped records, dead letters.
pub async fn contents(client: &Client) -> String {
    const ALL: &str = "
        SELECT concat_ws(' ', to_char(window_start AT TIME ZONE 'UTC', 'HH24:MI'), origin, count,
            sum_delay_min, worst_delay_min, over_15_min, 'revision', revision)
        FROM processed_events_aggregated
        UNION ALL
        SELECT concat_ws(' ', 'dropped', partition, record_offset, reason) FROM dropped_records
        UNION ALL
        SELECT concat_ws(' ', 'no flight', partition, record_offset) FROM dead_letters
        ORDER BY 1";
    let rows = client.query(ALL, &[]).await.expect("the tables can be read");
    let rows: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    rows.join("\n")
}

/// The numbers of a job's checkpoints, in order.
pub async fn checkpoint_ids(client: &Client, job: &str) -> Vec<i64> {
    let ids = "SELECT id FROM checkpoints WHERE job = $1 ORDER BY id";
    let rows = client.query(ids, &[&job]).await.expect("the table can be read");
    rows.iter().map(|row| row.get(0)).collect()
}
