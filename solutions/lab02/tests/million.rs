//! The job through a bad day: its broker restarts twice and its database once, and in the end
//! every record is a row or a dead letter.
//!
//! A small form runs with the other tests. `make soak` runs it with a million records:
//! `TIDEMARK_RECORDS=1000000 cargo test -p lab02-solution --test million -- --nocapture`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::num::NonZeroUsize;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use flights::{Generated, Generator, RecordGenerator};
use lab01::record::to_record;
use lab01::topic::{Retention, TopicSpec, ready_topic};
use lab02_solution::batch::BatchLimits;
use lab02_solution::dead_letters::{ERROR_OFFSET, ERROR_PARTITION};
use lab02_solution::in_flight::{Published, Publisher};
use lab02_solution::job::{self, End, JobConfig};
use lab02_solution::producer::{ProducerLimits, producer_config};
use lab02_solution::record::Record;
use lab02_solution::table::connect;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use rig::Private;
use rig::private::Server;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

const TOPIC: &str = "million";
const DEAD_LETTERS: &str = "million.dead-letters";
const PARTITIONS: i32 = 3;
const SEED: u64 = 2013;
/// The records of the small form.
const FEW_RECORDS: u32 = 20_000;
/// One poison pill in so many records.
const POISON_ONE_IN: u32 = 1_000;
/// The job writes in so many batches: so it is slow enough for a server to go half-way.
const BATCHES: u32 = 1_000;
/// A batch holds at least so many records. The small form has 400 batches by that, and would else
/// be busy with its commits most of the time.
const SMALLEST_BATCH: u32 = 50;
/// The job may need so much memory, the client's queue of fetched records included
/// (`queued.max.messages.kbytes`, 64 MiB). A million flights that are held take several times that.
const MEMORY_BOUND_MIB: u64 = 200;
/// A job that says nothing for so long has stalled. It is longer than a broker takes to restart.
const STALLED: Duration = Duration::from_secs(120);
/// A supervisor gives a job up that ends in trouble more often.
const MAX_RESTARTS: usize = 10;
const BROKER_TIMEOUT: Duration = Duration::from_secs(20);

/// What happens to a server, and when: after so many percent of the records.
const FAULTS: [(u64, Fault); 3] = [
    (25, Fault { server: Server::Kafka, in_good_order: true }),
    (50, Fault { server: Server::Postgres, in_good_order: false }),
    (75, Fault { server: Server::Kafka, in_good_order: false }),
];

#[derive(Clone, Copy)]
struct Fault {
    server: Server,
    in_good_order: bool,
}

/// A record's partition and offset.
type Place = (i32, i64);

#[test]
fn every_record_is_a_row_or_a_dead_letter_whatever_restarts() {
    let records = match std::env::var("TIDEMARK_RECORDS") {
        Ok(number) => number.parse().expect("TIDEMARK_RECORDS is a number"),
        Err(_) => FEW_RECORDS,
    };
    let pills = u64::from(records / POISON_ONE_IN);
    let mut own = Private::start().expect("a private rig starts");
    let runtime = Runtime::new().expect("the system gives a runtime");
    let expected = runtime.block_on(publish(&own.kafka(), records));

    let began = Instant::now();
    let lives = supervise(&mut own, records);
    let took = began.elapsed();

    let letters = dead_letters(&own.kafka());
    let rows = runtime.block_on(Rows::read(own.database_url()));
    let letter_places: BTreeSet<Place> = letters.iter().copied().collect();
    let rows_twice = rows.all - rows.places.len() as u64;
    let letters_twice = (letters.len() - letter_places.len()) as u64;
    println!(
        "{records} records in {} s: {} rows, {rows_twice} of them repeats, {} dead letters, \
         {letters_twice} of them repeats",
        took.as_secs(),
        rows.all,
        letters.len(),
    );
    lives.print();

    assert_eq!(rows.places.intersection(&letter_places).count(), 0, "a row or a dead letter");
    let both: BTreeSet<Place> = rows.places.union(&letter_places).copied().collect();
    let log = places_of(&own.kafka());
    assert_eq!(log.len(), records as usize, "the topic has every record once");
    let lost: Vec<&Place> = log.difference(&both).take(10).collect();
    assert!(both == log, "neither a row nor a dead letter: {lost:?} …");
    assert_eq!(letter_places.len() as u64, pills, "every poison pill, and nothing else");
    assert_eq!(rows.sums, expected, "the rows say what the flights said");

    // Only what was in hand when a job ended in trouble may come twice, and that is one batch.
    let allowed = lives.ended.len() as u64 * u64::from(batch_items(records));
    let twice = rows_twice + letters_twice;
    assert!(twice <= allowed, "{twice} repeats, at least once allows {allowed}");
    assert!(!lives.ended.is_empty(), "the database went, and the job did not notice");
    assert!(lives.most_held < u64::from(batch_items(records)), "{} held", lives.most_held);
    if let Some(mib) = lives.peak_mib {
        assert!(mib <= MEMORY_BOUND_MIB, "the job took {mib} MiB, expected {MEMORY_BOUND_MIB}");
    }
}

/// Sums over columns of flights, to tell whether rows say the same as the flights.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sums {
    flight: i64,
    distance_miles: i64,
    delay_min: i64,
}

/// Fills the topic with the solution's own producer. Returns the sums over its flights.
async fn publish(kafka: &ClientConfig, records: u32) -> Sums {
    for (name, partitions) in [(TOPIC, PARTITIONS), (DEAD_LETTERS, 1)] {
        let retention = Retention::Forever;
        let spec = TopicSpec { name: name.to_owned(), partitions, replication: 1, retention };
        ready_topic(kafka, &spec).await.expect("the topic is made");
    }
    let flights = Generator::out_of_order(SEED, Duration::from_hours(1)).expect("whole minutes");
    let stream = RecordGenerator::new(flights).with_poison(POISON_ONE_IN).expect("a share");
    let producer = producer_config(kafka, &ProducerLimits::default()).create().unwrap();
    let in_flight = NonZeroUsize::new(1_000).unwrap();
    let mut publisher = Publisher::new(producer, TOPIC, in_flight);
    let mut sums = Sums::default();
    for position in 0..records {
        let record = match stream.record(position) {
            Generated::Flight { flight, .. } | Generated::Duplicate { flight, .. } => {
                sums.flight += i64::from(flight.flight);
                sums.distance_miles += i64::from(flight.distance_miles);
                sums.delay_min += i64::from(flight.delay_min);
                to_record(&flight).expect("a made flight is in order").into()
            }
            Generated::Poison(pill) => Record {
                key: Some(pill.key.into_bytes()),
                payload: pill.payload,
                timestamp_ms: Some(pill.timestamp_ms),
                ..Record::default()
            },
        };
        publisher.send(record).await.expect("the producer takes every record");
    }
    let delivered = Published { delivered: records.into(), not_delivered: Vec::new() };
    assert_eq!(publisher.close().await, delivered);
    sums
}

fn batch_items(records: u32) -> u32 {
    (records / BATCHES).max(SMALLEST_BATCH)
}

/// What the supervisor has seen of the job.
#[derive(Debug, Default)]
struct Lives {
    /// Why the job ended, each time it ended in trouble.
    ended: Vec<String>,
    /// What it told of its connection to the broker.
    trouble: BTreeSet<String>,
    /// How many records it held at most, behind a batch that was complete.
    most_held: u64,
    /// The most memory that a life took; `None` where the system does not say.
    peak_mib: Option<u64>,
    /// The offset of the next record, by partition.
    next_offsets: BTreeMap<i32, i64>,
}

impl Lives {
    /// How many records of the topic were read.
    fn position(&self) -> u64 {
        self.next_offsets.values().sum::<i64>().unsigned_abs()
    }

    /// Takes a line of the job's.
    fn hear(&mut self, line: &str) {
        // libtest may have written before it on the same line.
        let Some((_, said)) = line.split_once("job: ") else { return };
        let (what, value) = said.split_once(' ').unwrap_or((said, ""));
        match what {
            "at" => {
                for place in value.split(' ') {
                    let (partition, next) = place.split_once(':').expect("partition:offset");
                    self.next_offsets.insert(partition.parse().unwrap(), next.parse().unwrap());
                }
            }
            "held" => self.most_held = self.most_held.max(value.parse().unwrap()),
            "peak-mib" => self.peak_mib = self.peak_mib.max(value.parse().ok()),
            "trouble" => drop(self.trouble.insert(value.to_owned())),
            "ended" => self.ended.push(value.to_owned()),
            _ => panic!("the job says what nobody understands: {line}"),
        }
    }

    fn print(&self) {
        for reason in &self.ended {
            println!("the job ended and was started again: {reason}");
        }
        for trouble in &self.trouble {
            println!("the job went on through: {trouble}");
        }
        match self.peak_mib {
            Some(mib) => println!("memory at most {mib} MiB, bound {MEMORY_BOUND_MIB} MiB"),
            None => println!("memory not measured: this system has no /proc/self/status"),
        }
    }
}

/// Runs the job to its end as a supervisor would: where it ends in trouble, it is started again.
/// Meanwhile the servers go and come back.
fn supervise(own: &mut Private, records: u32) -> Lives {
    let mut faults = FAULTS.iter().peekable();
    let mut lives = Lives::default();
    loop {
        let (mut job, lines) = start_job(own, records);
        loop {
            match lines.recv_timeout(STALLED) {
                Ok(line) => lives.hear(&line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    job.kill().expect("the job runs");
                    panic!("waited {STALLED:?} for a word of the job; last seen: {lives:?}");
                }
            }
            let due = |(percent, _): &&(u64, Fault)| {
                lives.position() * 100 >= u64::from(records) * percent
            };
            if let Some((percent, fault)) = faults.next_if(due) {
                let began = Instant::now();
                restart(own, *fault);
                let took_s = began.elapsed().as_secs_f64();
                println!("at {percent} %: {:?} was away for {took_s:.1} s", fault.server);
            }
        }
        let status = job.wait().expect("the job has ended");
        if status.success() {
            assert!(faults.next().is_none(), "the end came before all servers went: {lives:?}");
            return lives;
        }
        assert!(lives.ended.len() <= MAX_RESTARTS, "the job ends again and again: {lives:?}");
    }
}

fn restart(own: &mut Private, fault: Fault) {
    let gone = match fault.in_good_order {
        true => own.stop(fault.server),
        false => own.kill(fault.server),
    };
    gone.expect("the server ran");
    own.start_again(fault.server).expect("the server starts again");
}

/// Starts the job as a process of its own, and hands on what it prints, until it has ended.
fn start_job(own: &Private, records: u32) -> (Child, Receiver<String>) {
    let kafka = own.kafka();
    let mut job = Command::new(std::env::current_exe().expect("this program has a path"))
        .args(["--exact", "the_job", "--ignored", "--nocapture"])
        .env("JOB_KAFKA", kafka.get("bootstrap.servers").expect("the rig names its brokers"))
        .env("JOB_DATABASE", own.database_url())
        .env("JOB_BATCH", batch_items(records).to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the job starts");
    let (sender, lines) = channel();
    let output = BufReader::new(job.stdout.take().expect("it is piped"));
    std::thread::spawn(move || {
        // Nobody listens any more once the test has failed.
        output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
    });
    (job, lines)
}

#[test]
#[ignore = "run by another test"]
fn the_job() {
    let variable = |name| std::env::var(name).expect("the other test sets it");
    let mut kafka = ClientConfig::new();
    kafka.set("bootstrap.servers", variable("JOB_KAFKA"));
    // A client that has found nobody for a while looks again after ten seconds only.
    kafka.set("reconnect.backoff.max.ms", "250");
    let config = JobConfig {
        kafka,
        topic: TOPIC.to_owned(),
        dead_letter_topic: DEAD_LETTERS.to_owned(),
        group: "million.job".to_owned(),
        database: variable("JOB_DATABASE").parse().expect("an address"),
        batch: BatchLimits {
            items: variable("JOB_BATCH").parse().expect("a number"),
            age: Duration::from_secs(1),
        },
        end: End::CaughtUp,
    };
    let (mut most_held, mut trouble) = (0, None);
    let runtime = Runtime::new().expect("the system gives a runtime");
    let outcome = runtime.block_on(job::run(&config, &CancellationToken::new(), &mut |now| {
        most_held = most_held.max(now.held);
        if now.trouble != trouble {
            trouble.clone_from(&now.trouble);
            println!("job: trouble {}", trouble.as_deref().unwrap_or_default());
        }
        if now.held == 0 && !now.next_offsets.is_empty() {
            let place = |(partition, next): (&i32, &i64)| format!("{partition}:{next}");
            let places: Vec<String> = now.next_offsets.iter().map(place).collect();
            println!("job: at {}", places.join(" "));
        }
    }));
    println!("job: held {most_held}");
    if let Some(mib) = peak_mib() {
        println!("job: peak-mib {mib}");
    }
    if let Err(error) = outcome {
        println!("job: ended {error}");
        std::process::exit(1);
    }
}

/// The most memory that this process has had at a time, where the system says so.
fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib.div_ceil(1024))
}

/// The table, as the job left it.
struct Rows {
    all: u64,
    places: BTreeSet<Place>,
    /// Each place counted once.
    sums: Sums,
}

impl Rows {
    async fn read(database_url: &str) -> Rows {
        let database = connect(&database_url.parse().unwrap()).await.expect("the database is up");
        let all: i64 = database
            .query_one("SELECT count(*) FROM processed_events", &[])
            .await
            .expect("the table is there")
            .get(0);
        let each_place_once = "
            SELECT DISTINCT ON (partition, record_offset)
                partition, record_offset, flight, distance_miles, delay_min
            FROM processed_events";
        let (mut places, mut sums) = (BTreeSet::new(), Sums::default());
        for row in database.query(each_place_once, &[]).await.expect("the table is there") {
            places.insert((row.get(0), row.get(1)));
            sums.flight += i64::from(row.get::<_, i32>(2));
            sums.distance_miles += i64::from(row.get::<_, i32>(3));
            sums.delay_min += i64::from(row.get::<_, i32>(4));
        }
        Rows { all: all.unsigned_abs(), places, sums }
    }
}

/// Where the dead letters lay, as their headers say, in the order of the topic.
fn dead_letters(kafka: &ClientConfig) -> Vec<Place> {
    let mut settings = kafka.clone();
    let consumer: BaseConsumer = settings.set("group.id", "million.letters").create().unwrap();
    let (_, end) = consumer.fetch_watermarks(DEAD_LETTERS, 0, BROKER_TIMEOUT).unwrap();
    let mut from_the_first = TopicPartitionList::new();
    from_the_first.add_partition_offset(DEAD_LETTERS, 0, Offset::Beginning).unwrap();
    consumer.assign(&from_the_first).unwrap();
    let mut places = Vec::new();
    while (places.len() as i64) < end {
        let letter = consumer
            .poll(BROKER_TIMEOUT)
            .unwrap_or_else(|| panic!("waited {BROKER_TIMEOUT:?}, {} of {end}", places.len()))
            .expect("the broker gives the dead letter");
        let headers = letter.headers().expect("a dead letter has headers");
        let number = |name| {
            let header = headers.iter().find(|header| header.key == name).expect("it is there");
            str::from_utf8(header.value.unwrap()).unwrap().parse::<i64>().expect("digits")
        };
        places.push((number(ERROR_PARTITION) as i32, number(ERROR_OFFSET)));
    }
    places
}

/// Every record of the topic.
fn places_of(kafka: &ClientConfig) -> BTreeSet<Place> {
    let consumer: BaseConsumer = kafka.create().unwrap();
    let of_partition = |partition| {
        let (first, end) = consumer.fetch_watermarks(TOPIC, partition, BROKER_TIMEOUT).unwrap();
        (first..end).map(move |offset| (partition, offset))
    };
    (0..PARTITIONS).flat_map(of_partition).collect()
}
