//! The job while its servers trouble it: a broker that is restarted or killed, a database that makes
//! it wait for longer than a partition may be silent, and a partition that comes later.

use std::num::NonZeroUsize;
use std::pin::pin;
use std::time::Duration;

use flights::Flight;
use flights::utc;
use lab01::event::encode;
use lab01::topic::{Retention, TopicSpec, ready_topic};
use lab02::batch::BatchLimits;
use lab05_solution::board::BoardConfig;
use lab05_solution::input::Until;
use lab05_solution::job::{JobConfig, JobError, Progress, TURN_RECORDS, run};
use lab05_solution::tables::{DROPPED, RESULTS, ensure_tables};
use rdkafka::ClientConfig;
use rdkafka::producer::{FutureProducer, FutureRecord};
use rig::RigError;
use rig::private::{Private, Server};
use testkit::{TestRig, with_rig, within};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::spawn_blocking;
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

/// So long may take what is awaited, on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

const MINUTE: Duration = Duration::from_secs(60);
const TEN_MINUTES_MS: i64 = 600_000;

/// 06:00 of 8 February 2013.
fn at(clock: &str) -> i64 {
    utc::parse(&format!("2013-02-08T{clock}:00Z")).expect("it is an instant")
}

fn flight(origin: &str, scheduled_ms: i64) -> Flight {
    Flight {
        carrier: "UA".to_owned(),
        flight: 1,
        tail: None,
        origin: origin.to_owned(),
        dest: "IAH".to_owned(),
        distance_miles: 1_400,
        scheduled_ms,
        delay_min: 0,
    }
}

/// Flights that leave on time, one for every ten minutes from 06:00.
fn ten_minutes_apart(origin: &str, count: i64) -> Vec<Flight> {
    let slot_ms = |index: i64| at("06:00") + index * TEN_MINUTES_MS;
    (0..count).map(|index| flight(origin, slot_ms(index))).collect()
}

/// Puts flights on a partition, in this order.
async fn put(kafka: &ClientConfig, topic: &str, partition: i32, flights: &[Flight]) {
    let producer: FutureProducer = kafka
        .clone()
        .set("enable.idempotence", "true")
        .set("linger.ms", "1")
        .set("message.timeout.ms", LIMIT.as_millis().to_string())
        .create()
        .expect("the settings are good");
    let mut deliveries = Vec::new();
    for flight in flights {
        let payload = encode(flight).expect("it is a flight");
        let record = FutureRecord::<(), _>::to(topic)
            .partition(partition)
            .timestamp(flight.departed_ms())
            .payload(&payload);
        deliveries.push(producer.send_result(record).map_err(|(error, _)| error));
    }
    for delivery in deliveries {
        let answer = delivery.expect("there is room").await.expect("it is answered");
        answer.map_err(|(error, _)| error).expect("the broker takes it");
    }
}

/// A job that goes on until it is stopped and writes each row at once.
fn job(kafka: ClientConfig, topic: &str, dead_letter_topic: &str, database: &str) -> JobConfig {
    JobConfig {
        kafka,
        topic: topic.to_owned(),
        dead_letter_topic: dead_letter_topic.to_owned(),
        database: database.parse().expect("the rig's address can be read"),
        board: BoardConfig {
            window: 60 * MINUTE,
            bound: 15 * MINUTE,
            allowed_lateness: Duration::ZERO,
            idle_after: None,
            allowed_ahead: 60 * MINUTE,
        },
        write: BatchLimits { items: NonZeroUsize::MIN, age: Duration::ZERO },
        until: Until::Stopped,
    }
}

async fn job_on(rig: &TestRig, partitions: i32) -> JobConfig {
    let topic = rig.kafka.create_topic("flights", partitions).await;
    let dead_letter_topic = rig.kafka.create_topic("dead", 1).await;
    job(rig.kafka.quick_client(), &topic, &dead_letter_topic, &rig.database.url())
}

/// Waits until the job has read so many records and written what has fired; gives its first word
/// of that.
async fn until_read(told: &mut UnboundedReceiver<Progress>, records: u64) -> Progress {
    let what = format!("{records} records to be read and what has fired to be written");
    let seen = async {
        loop {
            let now = told.recv().await.expect("the job is at work");
            if now.read >= records && now.held_rows == 0 {
                return now;
            }
        }
    };
    within(LIMIT, what, seen).await
}

async fn number(client: &Client, question: &str) -> i64 {
    client.query_one(question, &[]).await.expect("the tables can be read").get(0)
}

/// Results with their flights and revision, then how many were dropped of each partition.
async fn contents(client: &Client) -> String {
    let question = format!(
        "SELECT coalesce(string_agg(line, '\n' ORDER BY line), '') FROM ( \
             SELECT concat_ws(' ', to_char(window_start AT TIME ZONE 'UTC', 'HH24:MI'), origin, \
                 count, 'revision', revision) AS line FROM {RESULTS} \
             UNION ALL SELECT concat_ws(' ', 'dropped of', partition, count(*)) FROM {DROPPED} \
                 GROUP BY partition) AS lines"
    );
    client.query_one(&question, &[]).await.expect("the tables can be read").get(0)
}

/// What 48 flights give, ten minutes apart from 06:00, bound 15 min: eight hours of six each.
fn eight_hours() -> String {
    let hour = |hour: u32| format!("{hour:02}:00 EWR 6 revision 1");
    (6..14).map(hour).collect::<Vec<_>>().join("\n")
}

/// A job on a private broker, with topics of its own.
async fn private_job(own: &Private) -> JobConfig {
    let kafka = own.kafka();
    for name in ["flights", "dead"] {
        let (name, retention) = (name.to_owned(), Retention::Forever);
        let spec = TopicSpec { name, partitions: 1, replication: 1, retention };
        ready_topic(&kafka, &spec).await.expect("the topic is made");
    }
    job(kafka, "flights", "dead", own.database_url())
}

/// A private broker is restarted twice in the middle of a run, once by a kill. The job goes on where it
/// was, and nothing is missing.
#[test]
fn a_broker_that_is_restarted_is_sat_out() {
    let mut own = Private::start().expect("a private rig starts");
    let runtime = Runtime::new().expect("the system gives a runtime");
    runtime.block_on(async {
        let config = private_job(&own).await;
        let (tell, mut told) = unbounded_channel();
        let stop = CancellationToken::new();
        let tell = &mut |now: &Progress| tell.send(*now).expect("the test listens");
        let mut job = pin!(run(&config, &stop, tell));
        let restarts = async {
            let flights = ten_minutes_apart("EWR", 48);
            put(&config.kafka, "flights", 0, &flights[..16]).await;
            until_read(&mut told, 16).await;
            own = restarted(own, Private::kill).await;
            put(&config.kafka, "flights", 0, &flights[16..32]).await;
            until_read(&mut told, 32).await;
            own = restarted(own, Private::stop).await;
            put(&config.kafka, "flights", 0, &flights[32..]).await;
            until_read(&mut told, 48).await;
            own
        };
        let _own = tokio::select! {
            ended = &mut job => panic!("the job ended while its broker was restarted: {ended:?}"),
            own = restarts => own,
        };
        stop.cancel();
        let ended = within(LIMIT, "the job to end after its stop", job).await;
        let done = ended.expect("the job ends in good order");
        assert_eq!((done.read, done.in_open_windows, done.counts.dropped.total()), (48, 6, 0));
        let client = lab02::table::connect(&config.database).await.expect("the database is there");
        assert_eq!(format!("{}\n13:00 EWR 6 revision 1", contents(&client).await), eight_hours());
    });
}

/// Ends the broker in one of the two ways, and starts it again.
async fn restarted(
    mut own: Private,
    end: fn(&mut Private, Server) -> Result<(), RigError>,
) -> Private {
    let restarted = spawn_blocking(move || {
        end(&mut own, Server::Kafka).expect("the broker runs");
        own.start_again(Server::Kafka).expect("the broker starts again");
        own
    });
    restarted.await.expect("the broker is restarted")
}

/// A private broker is killed in the middle of a run and does not come back in time. The job ends with
/// a sentence, and what it has written is right as far as it goes. Once the broker is back, a new run
/// has all of it.
#[test]
fn a_killed_broker_ends_the_job_with_a_sentence_and_the_next_run_has_it_all() {
    let mut own = Private::start().expect("a private rig starts");
    let runtime = Runtime::new().expect("the system gives a runtime");
    runtime.block_on(async {
        let mut config = private_job(&own).await;
        let kafka = config.kafka.clone();
        let flights = ten_minutes_apart("EWR", 48);
        put(&kafka, "flights", 0, &flights[..24]).await;

        let (tell, mut told) = unbounded_channel();
        let stop = CancellationToken::new();
        let tell = &mut |now: &Progress| tell.send(*now).expect("the test listens");
        let fault = async {
            until_read(&mut told, 24).await;
            let killed = spawn_blocking(move || {
                own.kill(Server::Kafka).expect("the broker runs");
                own
            });
            killed.await.expect("the broker is killed")
        };
        let job = within(LIMIT, "the job to end without its broker", run(&config, &stop, tell));
        let (ended, mut own) = tokio::join!(job, fault);
        let error = ended.expect_err("a job without a broker cannot go on");
        let sentence = error.to_string();
        println!("{sentence}");
        assert!(matches!(error, JobError::Input(_)), "{error:?}");
        assert!(!sentence.contains('\n') && !sentence.ends_with('.'), "{sentence}");
        let client = lab02::table::connect(&config.database).await.expect("the database is there");
        let before = contents(&client).await;
        assert!(eight_hours().starts_with(&before) && !before.is_empty(), "{before}");

        let own = spawn_blocking(move || {
            own.start_again(Server::Kafka).expect("the broker starts again");
            own
        });
        let _own = own.await.expect("the broker is started");
        put(&kafka, "flights", 0, &flights[24..]).await;
        config.until = Until::TheEnd;
        let again = within(LIMIT, "the next run", run(&config, &stop, &mut |_| {})).await;
        let done = again.expect("nothing disturbs it");
        assert_eq!((done.read, done.in_open_windows), (48, 0));
        assert_eq!(contents(&client).await, eight_hours());
    });
}

/// Somebody holds the table for longer than a partition may be silent. The job waits with its row, and
/// reads nothing meanwhile. Behind that, no partition is idle for it: the watermark is that of the
/// slower one.
#[test]
fn a_partition_is_not_idle_because_the_database_was_slow() {
    with_rig(async |rig| {
        const IDLE_AFTER: Duration = Duration::from_secs(3);
        const HELD_S: u64 = 4;

        let mut config = job_on(rig, 2).await;
        config.board.idle_after = Some(IDLE_AFTER);
        // Both partitions are past 07:00, so the hour from 06:00 fires, and its row must wait.
        for partition in [0, 1] {
            let flights = [flight("EWR", at("06:10")), flight("EWR", at("07:20"))];
            put(&config.kafka, &config.topic, partition, &flights).await;
        }
        let client = rig.database.connect().await;
        ensure_tables(&client).await.expect("the tables are made");
        let mut other = rig.database.connect().await;
        let lock = other.transaction().await.expect("the database begins");
        let hold = format!("LOCK TABLE {RESULTS} IN ACCESS EXCLUSIVE MODE");
        lock.batch_execute(&hold).await.expect("nobody else holds it");

        let (tell, mut told) = unbounded_channel();
        let stop = CancellationToken::new();
        let tell = &mut |now: &Progress| tell.send(*now).expect("the test listens");
        let slow = async {
            rig.database
                .until_somebody_waits_for_a_lock(LIMIT, "the job to wait for the table")
                .await;
            // More than one turn takes, so that the clock is looked at between them.
            let further = vec![flight("EWR", at("09:00")); TURN_RECORDS + 1];
            put(&config.kafka, &config.topic, 0, &further).await;
            let pause = format!("SELECT pg_sleep({HELD_S})");
            lock.batch_execute(&pause).await.expect("the database waits");
            lock.commit().await.expect("the table is free");
            let now = until_read(&mut told, 4 + further.len() as u64).await;
            stop.cancel();
            now
        };
        let (end, now) = tokio::join!(run(&config, &stop, tell), slow);
        end.expect("the job ends in good order");
        let watermark = now.watermark_ms.map(utc::format);
        let slower = Some(utc::format(at("07:05")));
        assert_eq!(watermark, slower, "partition 1 was idle, though nobody had listened to it");
        assert_eq!((now.written.results, now.counts.dropped.total()), (1, 0));
    });
}

/// A partition is added behind a watermark of 08:15, with the same slots once more. Its flights of
/// the two hours that are gone are dropped; those of 08:00 are counted with the others.
#[test]
fn of_a_partition_that_is_added_each_record_is_in_its_place() {
    with_rig(async |rig| {
        let config = job_on(rig, 1).await;
        let client = rig.database.connect().await;
        let (tell, mut told) = unbounded_channel();
        let stop = CancellationToken::new();
        let tell = &mut |now: &Progress| tell.send(*now).expect("the test listens");
        let add = async {
            put(&config.kafka, &config.topic, 0, &ten_minutes_apart("EWR", 16)).await;
            until_read(&mut told, 16).await;
            rig.kafka.grow_topic(&config.topic, 2).await;
            put(&config.kafka, &config.topic, 1, &ten_minutes_apart("LGA", 16)).await;
            until_read(&mut told, 32).await;
            // Both go on to 09:20, so the hour from 08:00 fires.
            for (partition, origin) in [(0, "EWR"), (1, "LGA")] {
                let further = &ten_minutes_apart(origin, 21)[16..];
                put(&config.kafka, &config.topic, partition, further).await;
            }
            let now = until_read(&mut told, 42).await;
            let (open, dropped) = (now.in_open_windows, now.counts.dropped.total());
            let counted =
                number(&client, &format!("SELECT coalesce(sum(count), 0)::bigint FROM {RESULTS}"))
                    .await;
            assert_eq!(counted as u64 + open + dropped, now.read);
            stop.cancel();
        };
        let (end, ()) = tokio::join!(run(&config, &stop, tell), add);
        end.expect("the job ends in good order");
        let expected = "06:00 EWR 6 revision 1\n07:00 EWR 6 revision 1\n\
                        08:00 EWR 6 revision 1\n08:00 LGA 6 revision 1\ndropped of 1 12";
        assert_eq!(contents(&client).await, expected);
    });
}
