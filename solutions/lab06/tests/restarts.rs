//! The job through restarts of its servers: the broker and the database are killed between two of its
//! effects and come back, and in the end the tables are those of a job that was never disturbed. So they
//! are when a group is rebalanced over its topic.

use std::time::{Duration, Instant};

use flights::generator::Generator;
use lab05::board::BoardConfig;
use lab05::input::{RECONNECT_TIMEOUT, Until};
use lab06_solution::crash::Effect;
use lab06_solution::interval::Interval;
use lab06_solution::job::{Begin, JobConfig, run};
use lab06_solution::recovery::Which;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rig::Private;
use rig::private::Server;
use tokio::runtime::Runtime;
use tokio::time::{sleep, timeout};
use tokio_postgres::Config;
use tokio_util::sync::CancellationToken;

const TOPIC: &str = "flights";
const RECORDS: u32 = 3_000;
/// A server needs so long to come back, on a busy machine.
const BOUND: Duration = Duration::from_secs(120);
/// The broker's end closes the connection, which the client sees at once.
const UNTIL_THE_LOSS_IS_NOTICED: Duration = Duration::from_secs(3);
/// A supervisor gives a job up that ends in trouble more often.
const MAX_STARTS: usize = 20;

/// Which server is killed, and behind which commit.
const FAULTS: [(Server, usize); 4] =
    [(Server::Postgres, 3), (Server::Kafka, 6), (Server::Postgres, 9), (Server::Kafka, 12)];

fn board() -> BoardConfig {
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    BoardConfig {
        window: minutes(60),
        bound: minutes(15),
        allowed_lateness: minutes(30),
        idle_after: None,
        allowed_ahead: minutes(60),
    }
}

/// Flights half a minute apart in one partition, further out of order than the bound.
async fn fill(kafka: &ClientConfig) {
    let admin: AdminClient<_> = kafka.create().expect("the settings are good");
    let topic = NewTopic::new(TOPIC, 1, TopicReplication::Fixed(1)).set("retention.ms", "-1");
    let made = admin.create_topics([&topic], &AdminOptions::new()).await;
    made.expect("the broker answers").remove(0).expect("the broker makes the topic");
    let mut settings = kafka.clone();
    settings.set("enable.idempotence", "true");
    let producer: FutureProducer = settings.create().expect("the settings are good");
    let generator =
        Generator::out_of_order(6, Duration::from_secs(90 * 60)).expect("whole minutes");
    let mut deliveries = Vec::new();
    for index in 0..RECORDS {
        let flight = generator.flight(index * 60);
        let payload = lab01::event::encode(&flight).expect("a made flight is a flight");
        let record = FutureRecord::<str, [u8]>::to(TOPIC)
            .partition(0)
            .timestamp(flight.departed_ms())
            .payload(&payload);
        deliveries.push(producer.send_result(record).map_err(|(error, _)| error));
    }
    for delivery in deliveries {
        let answer = delivery.expect("there is room").await.expect("it is answered");
        answer.expect("the broker takes it");
    }
}

/// The address of the database, with a schema of its own.
async fn schema(url: &str, name: &str) -> Config {
    let mut config: Config = url.parse().expect("the rig's address can be read");
    let client = lab02::table::connect(&config).await.expect("the database takes connections");
    let create = format!("CREATE SCHEMA {name}");
    client.batch_execute(&create).await.expect("the database makes a schema");
    config.options(format!("-c search_path={name}"));
    config
}

async fn contents(database: &Config) -> String {
    const ALL: &str = "
        SELECT string_agg(line, E'\\n' ORDER BY line) FROM (
            SELECT concat_ws(' ', window_start, origin, count, sum_delay_min, worst_delay_min,
                over_15_min, revision) AS line FROM processed_events_aggregated
            UNION ALL
            SELECT concat_ws(' ', 'dropped', partition, record_offset, reason) FROM dropped_records
        ) AS lines";
    let client = lab02::table::connect(database).await.expect("the database takes connections");
    client.query_one(ALL, &[]).await.expect("the tables can be read").get(0)
}

fn config(own: &Private, database: Config) -> JobConfig {
    JobConfig {
        job: "board".to_owned(),
        kafka: own.kafka(),
        topic: TOPIC.to_owned(),
        database,
        board: board(),
        interval: Interval { every: Duration::from_secs(3_600), changes: 200 },
        until: Until::TheEnd,
        begin: Begin::Checkpoint(Which::Latest),
        epoch: None,
    }
}

#[test]
fn restarts_of_broker_and_database_lose_and_repeat_nothing() {
    let mut own = Private::start().expect("a private rig starts");
    let runtime = Runtime::new().expect("the system gives a runtime");
    runtime.block_on(async {
        fill(&own.kafka()).await;
        let url = own.database_url().to_owned();
        let config = config(&own, schema(&url, "undisturbed").await);
        let stop = CancellationToken::new();
        let ended = timeout(BOUND, run(&config, &stop, &mut |_| {}, &mut |_| {})).await;
        ended.expect("it ends").expect("nothing disturbs it");
        let expected = contents(&config.database).await;
        assert!(expected.contains("dropped"), "some records are dropped");

        let config = JobConfig { database: schema(&url, "disturbed").await, ..config };
        let mut faults = FAULTS.to_vec();
        let mut commits = 0;
        let mut starts = Vec::new();
        let ended = loop {
            let mut watch = |effect| {
                commits += usize::from(effect == Effect::Commit);
                if effect == Effect::Advance
                    && faults.first().is_some_and(|(_, behind)| *behind <= commits)
                {
                    let (server, _) = faults.remove(0);
                    own.kill(server).expect("the server runs");
                    own.start_again(server).expect("the server starts again");
                }
            };
            let attempt = timeout(BOUND, run(&config, &stop, &mut |_| {}, &mut watch)).await;
            match attempt.expect("a job ends or says why not") {
                Ok(ended) => break ended,
                Err(error) => starts.push(error.to_string()),
            }
            assert!(
                starts.len() < MAX_STARTS,
                "the job ended in trouble again and again: {starts:?}"
            );
        };
        println!("started again {} times: {starts:#?}", starts.len());
        assert!(ended.checkpoint.finished);
        assert_eq!(faults, [], "every fault has happened");
        assert!(!starts.is_empty(), "a job that has lost its database stops");
        assert_eq!(contents(&config.database).await, expected);
    });
}

/// The job has lost its broker and waits for it when it is asked to stop. It ends long before it would
/// give the broker up, with a checkpoint of what it has read.
#[test]
fn a_stop_is_heard_while_the_broker_is_away() {
    let mut own = Private::start().expect("a private rig starts");
    let runtime = Runtime::new().expect("the system gives a runtime");
    runtime.block_on(async {
        fill(&own.kafka()).await;
        let database = schema(own.database_url(), "stopped").await;
        let config = JobConfig { until: Until::Stopped, ..config(&own, database) };
        let stop = CancellationToken::new();
        let mut is_killed = false;
        let mut watch = |effect| {
            if effect == Effect::Commit && !is_killed {
                own.kill(Server::Kafka).expect("the broker runs");
                is_killed = true;
                let stop = stop.clone();
                tokio::spawn(async move {
                    sleep(UNTIL_THE_LOSS_IS_NOTICED).await;
                    stop.cancel();
                });
            }
        };
        let ended = timeout(RECONNECT_TIMEOUT, run(&config, &stop, &mut |_| {}, &mut watch)).await;
        let ended = ended.expect("the stop is heard").expect("a stop is no trouble");
        assert!(is_killed && !ended.checkpoint.finished);
        assert!(ended.progress.read >= 200, "{:?}", ended.progress);
    });
}

/// A member of the group that the job's consumer names, which has the topic's only partition.
fn member_with_the_partition(kafka: &ClientConfig) -> BaseConsumer {
    let mut settings = kafka.clone();
    settings.set("group.id", TOPIC).set("enable.auto.commit", "false");
    let member: BaseConsumer = settings.create().expect("the settings are good");
    member.subscribe(&[TOPIC]).expect("it is a topic's name");
    let deadline = Instant::now() + BOUND;
    while member.assignment().expect("it is known").count() == 0 {
        member.poll(Duration::from_millis(10)).transpose().expect("the broker answers");
        assert!(Instant::now() < deadline, "awaited an assignment, saw none");
    }
    member
}

/// The client has to name a group, and joins none: whoever joins it, and leaves it, takes no record.
#[test]
fn a_group_that_is_rebalanced_takes_no_partition_from_the_job() {
    let own = Private::start().expect("a private rig starts");
    let runtime = Runtime::new().expect("the system gives a runtime");
    runtime.block_on(async {
        fill(&own.kafka()).await;
        let url = own.database_url().to_owned();
        let (quiet, stop) = (config(&own, schema(&url, "quiet").await), CancellationToken::new());
        let ended = timeout(BOUND, run(&quiet, &stop, &mut |_| {}, &mut |_| {})).await;
        ended.expect("it ends").expect("nothing disturbs it");

        let rebalanced = config(&own, schema(&url, "rebalanced").await);
        let (mut commits, mut member) = (0, None);
        let mut watch = |effect| {
            commits += usize::from(effect == Effect::Commit);
            match (effect, commits) {
                (Effect::Commit, 3) => member = Some(member_with_the_partition(&own.kafka())),
                (Effect::Commit, 9) => drop(member.take()),
                _ => {}
            }
        };
        let ended = timeout(BOUND, run(&rebalanced, &stop, &mut |_| {}, &mut watch)).await;
        ended.expect("it ends").expect("nothing disturbs it");
        assert!(commits > 9 && member.is_none(), "a member came and went: {commits} commits");
        assert_eq!(contents(&rebalanced.database).await, contents(&quiet.database).await);
    });
}
