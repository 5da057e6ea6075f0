//! Last year's program is stopped with a savepoint and this one takes over, while records flow.

mod program;

use std::fs;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use flights::{Generated, Generator, RecordGenerator};
use lab01::topic::{Retention, TopicSpec, ready_topic};
use lab06_solution::checkpoint::decode;
use lab06_solution::version1::encode_version1;
use program::{BOUND, CHECKPOINTS, Tables, number, remove, said, start, until_at_least};
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rig::Rig;
use testkit::program::Ended;
use tokio::runtime::Runtime;

const PARTITIONS: i32 = 4;
const OUT_OF_ORDER: Duration = Duration::from_secs(15 * 60);

/// So many records are published at a time, and so often: 10,000 a second.
const AT_ONCE: u32 = 100;
const EVERY: Duration = Duration::from_millis(10);

/// The job that is upgraded, and one that nothing disturbs.
const JOB: &str = "lab06_upgrade";
const ALONE: &str = "lab06_upgrade_undisturbed";

/// The arguments of a job that goes on until it is stopped.
fn at_work<'a>(topic: &'a str, savepoint: &'a str, file: &'a str) -> [&'a str; 11] {
    let [idle, off] = ["--idle-after", "off"];
    let [every, time] = ["--checkpoint-every", "100ms"];
    ["--job", JOB, "--topic", topic, idle, off, every, time, "--follow", savepoint, file]
}

/// Publishes made flights until it is told to stop, or nobody is there to tell it. Gives their number.
fn publish(kafka: &ClientConfig, topic: &str, stop: &Receiver<()>) -> u32 {
    let mut settings = kafka.clone();
    settings.set("enable.idempotence", "true").set("linger.ms", "1");
    let producer: BaseProducer = settings.create().expect("the settings are good");
    let flights = Generator::out_of_order(6, OUT_OF_ORDER).expect("whole minutes");
    let stream = RecordGenerator::new(flights).with_partitions(PARTITIONS).expect("partitions");
    let mut published = 0;
    while stop.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
        for position in published..published + AT_ONCE {
            let Generated::Flight { flight, .. } = stream.record(position) else {
                unreachable!("the stream has nothing but flights")
            };
            let payload = lab01::event::encode(&flight).expect("a made flight is a flight");
            let record = BaseRecord::<str, [u8]>::to(topic)
                .partition(stream.partition(position))
                .key(&flight.origin)
                .timestamp(flight.departed_ms())
                .payload(&payload);
            producer.send(record).map_err(|(error, _)| error).expect("there is room");
        }
        published += AT_ONCE;
        producer.poll(Duration::ZERO);
    }
    producer.flush(BOUND).expect("the broker takes every record");
    published
}

#[test]
fn last_years_program_is_replaced_while_records_flow() {
    let rig = Rig::up().expect("the rig is up");
    let kafka = rig.kafka();
    let topic = format!("{}lab06-solution.upgrade-{}", rig.prefix(), std::process::id());
    let runtime = Runtime::new().expect("the system gives a runtime");
    let spec = TopicSpec {
        name: topic.clone(),
        partitions: PARTITIONS,
        replication: rig.replication(),
        retention: Retention::Forever,
    };
    runtime.block_on(ready_topic(&kafka, &spec)).expect("the broker makes the topic");
    let (stop, stopped) = channel();
    let (to, on) = (kafka.clone(), topic.clone());
    let producer = thread::spawn(move || publish(&to, &on, &stopped));
    let folder = tempfile::tempdir().expect("the system gives a folder");
    let file = |name: &str| folder.path().join(name).to_str().expect("it is text").to_owned();
    let (new, old) = (file("version2.savepoint"), file("version1.savepoint"));

    // Last year's program: this one, with its savepoint in last year's form.
    let first = start(&at_work(&topic, "--savepoint", &new));
    until_at_least(JOB, CHECKPOINTS, 5);
    let began = Instant::now();
    first.interrupt();
    let Ended { status, said: said_by_first, shown } = first.end();
    assert!(status.success(), "{said_by_first}{shown}");
    let saved = decode(&fs::read(&new).expect("it is there")).expect("it is a savepoint");
    let version1 = encode_version1(&saved, OUT_OF_ORDER).expect("last year knew all of it");
    fs::write(&old, version1).expect("it can be written");

    let second = start(&at_work(&topic, "--from-savepoint", &old));
    let taken_over = i64::try_from(saved.id).expect("it is a small number") + 1;
    until_at_least(JOB, CHECKPOINTS, taken_over + 1);
    println!("from the stop to the first new rows: {:.2} s", began.elapsed().as_secs_f64());
    until_at_least(JOB, CHECKPOINTS, taken_over + 5);
    stop.send(()).expect("it publishes");
    let published = producer.join().expect("every record is published");
    second.interrupt();
    let Ended { status, said: said_by_second, shown } = second.end();
    assert!(status.success(), "{said_by_second}{shown}");

    let done = said(&["--job", JOB, "--topic", &topic, "--idle-after", "off", "--resume"]);
    assert!(done.contains(&format!(": {published} records read, ")), "{published}: {done}");
    said(&["--job", ALONE, "--topic", &topic, "--idle-after", "off"]);
    let found = Tables::of(JOB);
    found.assert_same(&Tables::of(ALONE));
    assert_eq!((found.corrected(), found.dropped.len()), (0, 0), "each row once, nothing dropped");
    let before = saved.counts.read;
    println!("{published} records, {before} of them before the stop: no row lost, none repeated");
    assert!(number(JOB, CHECKPOINTS) > taken_over);
    runtime.block_on(remove(&kafka, &topic));
}
