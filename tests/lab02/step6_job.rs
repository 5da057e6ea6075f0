//! Step 6: from the topic into PostgreSQL, in batches.
//!
//! - Every record that was read is a row or a dead letter, or its next owner reads it.
//! - Nothing is committed that is not written.
//! - While the database is busy, nothing is read: at most one batch is held.
//! - A job that is stopped first finishes what it holds.

use std::cell::Cell;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use lab02::batch::BatchLimits;
use lab02::dead_letters::{Read, ReadError, ReadFlight};
use lab02::job::{
    End, JobConfig, JobError, Progress, Summary, Work, consumer_config, run, write_flights,
};
use lab02::record::{Place, Record};
use lab02::table::{TableError, ensure_table};
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use testkit::{TestDatabase, TestRig, rule, until, with_database, with_rig};
use tokio::time::{Instant, timeout};
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

use super::at_hand::{BOUND, count, first_of_the_calm_week, nobody, put, record, record_of};

const HOUR: Duration = Duration::from_secs(3_600);

fn limits(items: usize, age: Duration) -> BatchLimits {
    BatchLimits { items: NonZeroUsize::new(items).expect("a limit is not 0"), age }
}

fn database_config(database: &TestDatabase) -> tokio_postgres::Config {
    database.url().parse().expect("it is an address")
}

/// A job on topics of its own, with a table that is there.
async fn job(rig: &TestRig, records: &[Record]) -> (JobConfig, Client) {
    let (topic, dead_letter_topic) =
        tokio::join!(rig.kafka.create_topic("flights", 3), rig.kafka.create_topic("dead", 1));
    let config = JobConfig {
        kafka: rig.kafka.quick_client(),
        dead_letter_topic,
        group: rig.kafka.group("job"),
        database: database_config(&rig.database),
        batch: limits(100, HOUR),
        end: End::CaughtUp,
        topic,
    };
    put(&config.kafka, &config.topic, records).await;
    let database = rig.database.connect().await;
    ensure_table(&database).await.expect("the table can be made");
    (config, database)
}

fn flights(count: usize) -> Vec<Record> {
    first_of_the_calm_week(count).iter().map(record_of).collect()
}

/// Runs the job to its end.
async fn done(config: &JobConfig) -> Result<Summary, JobError> {
    let run = async { run(config, &CancellationToken::new(), &mut |_| {}).await };
    rule("A job that is to end when it has caught up, ends.")
        .ask("How does your loop learn that a partition has no more records, an empty one too?")
        .within(BOUND, run)
        .await
}

async fn rows(database: &Client) -> i64 {
    let row = database.query_one("SELECT count(*) FROM processed_events", &[]).await;
    row.expect("the table can be read").get(0)
}

/// How many different records the table's rows are of.
async fn places(database: &Client) -> i64 {
    let question = "SELECT count(DISTINCT (topic, partition, record_offset)) FROM processed_events";
    database.query_one(question, &[]).await.expect("the table can be read").get(0)
}

fn read_flights(count: usize) -> Vec<ReadFlight> {
    let flights = first_of_the_calm_week(count).into_iter().enumerate();
    flights
        .map(|(offset, flight)| ReadFlight {
            place: Place { topic: "flights".to_owned(), partition: 1, offset: offset as i64 },
            timestamp_ms: flight.departed_ms(),
            flight,
        })
        .collect()
}

async fn written(database: &Client, flights: &[ReadFlight]) -> Result<(), TableError> {
    write_flights(database, &flights.iter().collect::<Vec<&ReadFlight>>()).await
}

#[test]
fn the_client_commits_nothing_by_itself() {
    let config = JobConfig {
        kafka: nobody(),
        topic: "flights".to_owned(),
        dead_letter_topic: "dead".to_owned(),
        group: "board".to_owned(),
        database: tokio_postgres::Config::new(),
        batch: limits(1, HOUR),
        end: End::CaughtUp,
    };
    let settings = consumer_config(&config);
    let setting = |name| settings.get(name).unwrap_or("not set").to_owned();
    rule("Only the job knows what is written, so only the job commits.")
        .ask("By default the client commits every five seconds. What does it know of your table?")
        .same_bytes(setting("enable.auto.commit"), "false");
    rule("A group without a committed offset begins with the first record.")
        .ask("The records of last night lie on the topic. By default, does a new group read them?")
        .same_bytes(setting("auto.offset.reset"), "earliest");
    rule("Group and address are those that were given.").same_bytes(
        format!("{} at {}", setting("group.id"), setting("bootstrap.servers")),
        "board at 127.0.0.1:1",
    );
}

#[test]
fn a_row_says_what_the_record_said() {
    with_database(async |database| {
        let client = database.connect().await;
        ensure_table(&client).await.expect("the table can be made");
        let mut flights = read_flights(2);
        flights[1].flight.tail = None;
        let outcome = written(&client, &flights).await;
        rule("Flights can be written.").succeeds(outcome);
        let question = "
            SELECT concat_ws(' ', topic, partition, record_offset, carrier, flight,
                coalesce(tail, 'null'), origin, dest, distance_miles, delay_min,
                round(extract(epoch FROM departed) * 1000)::bigint,
                round(extract(epoch FROM scheduled) * 1000)::bigint)
            FROM processed_events ORDER BY record_offset";
        let rows = client.query(question, &[]).await.expect("the table can be read");
        let expected = flights.iter().map(|read| {
            let ReadFlight { place, timestamp_ms, flight } = read;
            format!(
                "{} {} {} {} {} {} {} {} {} {} {timestamp_ms} {}",
                place.topic,
                place.partition,
                place.offset,
                flight.carrier,
                flight.flight,
                flight.tail.as_deref().unwrap_or("null"),
                flight.origin,
                flight.dest,
                flight.distance_miles,
                flight.delay_min,
                flight.scheduled_ms
            )
        });
        let found: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        rule("A row says what the record said: place, timestamp and every field of the flight.")
            .ask("Two instants stand in each row. Which one is the record's own timestamp?")
            .same_bytes(found.join("\n"), expected.collect::<Vec<String>>().join("\n"));
    });
}

#[test]
fn a_batch_is_one_statement_whatever_its_size() {
    with_database(async |database| {
        let client = database.connect().await;
        ensure_table(&client).await.expect("the table can be made");
        client
            .batch_execute(
                "CREATE TABLE statements (rows bigint);
                 CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
                 BEGIN INSERT INTO statements SELECT count(*) FROM fresh; RETURN NULL; END $$;
                 CREATE TRIGGER note AFTER INSERT ON processed_events
                 REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION note();",
            )
            .await
            .expect("statements can be counted");
        let outcome = written(&client, &read_flights(6_000)).await;
        rule("A batch of 6,000 rows can be written.")
            .ask("How many parameters does your statement have, and how many does PostgreSQL take?")
            .succeeds(outcome);
        let statements = client.query("SELECT rows FROM statements", &[]).await;
        let statements: Vec<i64> =
            statements.expect("they were noted").iter().map(|row| row.get(0)).collect();
        rule("A batch is one statement. Each statement costs a way to the database and back.")
            .ask("Why are rows collected at all?")
            .holds(
                statements == [6_000],
                format!("{} statements for 6,000 rows", statements.len()),
            );
        let outcome = written(&client, &[]).await;
        rule("Nothing to write is no work, and no error.").succeeds(outcome);
    });
}

#[test]
fn every_record_is_a_row_or_a_dead_letter() {
    with_rig(async |rig| {
        let mut records = flights(250);
        records.insert(40, record("EWR", b"delayed"));
        records.insert(90, Record { payload: None, ..record("LGA", b"") });
        // The same flight twice is two records: lab 03 is about that.
        records.push(records[0].clone());
        let (config, database) = job(rig, &records).await;
        let outcome = done(&config).await;
        let summary = rule("The job ends well.").succeeds(outcome);
        rule("read = written + dead letters + given up")
            .picture("251 flights, 2 records that are none, on 3 partitions of which one is empty")
            .ask("Which record is in none of the three numbers?")
            .same(summary, Summary { read: 253, written: 251, dead_letters: 2, given_up: 0 });
        rule("Each flight is one row.")
            .same((rows(&database).await, places(&database).await), (251, 251));
        rule("Each record that is no flight is one dead letter.")
            .same(count(&config.kafka, &config.dead_letter_topic), 2);
        let outcome = done(&config).await;
        let again = rule("The job can run again.").succeeds(outcome);
        rule("What a job has done it has committed, and the next reads on behind it.")
            .ask("Is the place *behind* the last record committed, and also where that was no flight?")
            .same(again, Summary::default());
    });
}

#[test]
fn dead_letters_alone_are_committed_too() {
    with_rig(async |rig| {
        let records: Vec<Record> = (0..5).map(|_| record("EWR", b"delayed")).collect();
        let (config, _database) = job(rig, &records).await;
        let outcome = done(&config).await;
        let summary = rule("The job ends well.").succeeds(outcome);
        rule("Each record is a dead letter.")
            .picture("5 records, none of them a flight, on one of three partitions")
            .ask("Did the job end before it had read them? Whose end was it waiting for?")
            .same((summary.read, summary.dead_letters), (5, 5));
        let outcome = done(&config).await;
        let again = rule("The job can run again.").succeeds(outcome);
        rule("What became a dead letter is dealt with: it is committed, and read no more.")
            .picture("5 records, none of them a flight; the job runs twice")
            .ask("A batch without a row: is there nothing to write, or nothing to do?")
            .same(again, Summary::default());
    });
}

#[test]
fn a_record_that_has_come_is_dealt_with_to_its_end() {
    with_rig(async |rig| {
        let key = "EWR";
        let records: Vec<Record> = flights(2)
            .into_iter()
            .map(|flight| Record { key: Some(key.into()), ..flight })
            .collect();
        let pill = record(key, b"delayed");
        let (mut config, database) =
            job(rig, &[records[0].clone(), pill, records[1].clone()]).await;
        // The answer for a dead letter comes half a second later than the batch is due.
        config.kafka.set("linger.ms", "500");
        config.batch = limits(1_000, Duration::from_millis(20));
        let outcome = done(&config).await;
        let summary = rule("The job ends well.").succeeds(outcome);
        rule("A record that has come is dealt with to its end, whatever else happens meanwhile.")
            .picture("a flight, a record that is none, a flight; the batch is due while the dead letter is on its way")
            .ask("Of what `select!` waits for, it drops all but one. What may therefore never stand in it?")
            .same(summary, Summary { read: 3, written: 2, dead_letters: 1, given_up: 0 });
        rule("Each flight is one row.").same(rows(&database).await, 2);
    });
}

#[test]
fn a_job_that_is_stopped_finishes_what_it_holds() {
    with_rig(async |rig| {
        let (mut config, database) = job(rig, &flights(60)).await;
        // Neither full nor due for an hour: only the stop can bring them into the table.
        config.batch = limits(1_000, HOUR);
        config.end = End::Never;
        let stop = CancellationToken::new();
        let mut stop_when_all_are_held = |progress: &Progress| {
            if progress.held == 60 {
                stop.cancel();
            }
        };
        let outcome = rule("A job that is stopped ends.")
            .within(BOUND, run(&config, &stop, &mut stop_when_all_are_held))
            .await;
        let summary = rule("A job that is stopped ends well.").succeeds(outcome);
        rule("A job that is stopped writes what it holds before it ends.")
            .picture("60 records are read, the batch takes 1,000; then somebody presses Ctrl-C")
            .ask("Where are the 60 records at that moment? Who else has them?")
            .same((summary.written, rows(&database).await), (60, 60));
        config.end = End::CaughtUp;
        let outcome = done(&config).await;
        rule("What is written in the end is committed, too.")
            .same(rule("The job can run again.").succeeds(outcome).read, 0);
    });
}

#[test]
fn a_batch_is_written_when_it_is_due() {
    with_rig(async |rig| {
        let (mut config, database) = job(rig, &flights(30)).await;
        config.batch = limits(1_000, Duration::from_millis(100));
        config.end = End::Never;
        let stop = CancellationToken::new();
        let (database, stop) = (&database, &stop);
        let look = async move {
            rule("A batch is written when it is due, also where no further record comes.")
                .picture("30 records came; a batch takes 1,000, or what came within 100 ms")
                .ask("Your loop waits for the next record. Who rings when the batch is due?")
                .within(BOUND, async {
                    while rows(database).await < 30 {
                        tokio::task::yield_now().await;
                    }
                })
                .await;
            stop.cancel();
        };
        let mut told = Progress::default();
        let mut note = |progress: &Progress| told = progress.clone();
        let work = async { run(&config, stop, &mut note).await };
        let (outcome, ()) = tokio::join!(work, look);
        let summary = rule("A job that is stopped ends well.").succeeds(outcome);
        rule("Each row is written once.").same(summary.written, 30);
        rule("Progress is told behind each batch, and what is written is held no longer.")
            .picture("30 records came and were written when they were due; then no record comes")
            .ask("Whoever watches sees what was told last. After which of the job's acts is that?")
            .same_bytes(
                format!("{} written, {} held", told.summary.written, told.held),
                "30 written, 0 held",
            );
    });
}

#[test]
fn nothing_is_committed_that_is_not_written() {
    with_rig(async |rig| {
        let (config, database) = job(rig, &flights(250)).await;
        // The database refuses the batch with this row. The ones before it are written.
        let refuse = "ALTER TABLE processed_events ADD CONSTRAINT no CHECK (record_offset <> 100)";
        database.batch_execute(refuse).await.expect("the table can be changed");
        let outcome = done(&config).await;
        rule("A batch that the database refuses ends the job, in one sentence.").refuses(
            outcome,
            "Table, with the database's reason",
            |error| matches!(error, JobError::Table(_)) && error.to_string().contains("constraint"),
        );
        database
            .batch_execute("ALTER TABLE processed_events DROP CONSTRAINT no")
            .await
            .expect("the table can be changed");
        let outcome = done(&config).await;
        rule("The next job ends well.").succeeds(outcome);
        rule("Nothing is committed that is not written: the next job finds every record.")
            .picture(
                "250 flights, batches of 100; the database refused a batch, then the job ran again",
            )
            .ask("The write failed. What had been committed by then, and by whom?")
            .same((rows(&database).await, places(&database).await), (250, 250));
    });
}

#[test]
fn rows_without_their_commit_are_told() {
    with_rig(async |rig| {
        let (config, database) = job(rig, &[]).await;
        let mut work = rule("The job opens.").succeeds(Work::open(&config).await);
        let mut batch = read_flights(2);
        batch.iter_mut().for_each(|read| read.place.partition = 7);
        let outcome = work.write_and_commit(batch.into_iter().map(Read::Flight).collect()).await;
        rule(
            "Rows whose offsets the broker did not take are told: they will be written once more.",
        )
        .picture(
            "2 flights of partition 7; the topic has 0, 1 and 2, so the broker refuses this commit",
        )
        .ask("The broker's answer comes a moment after the question. Who is there to read it?")
        .refuses(outcome, "NotCommitted, of 2 rows", |error| {
            matches!(error, JobError::NotCommitted { written: 2, .. })
        });
        rule("What is written stays written.").same(rows(&database).await, 2);
    });
}

#[test]
fn a_wait_for_the_brokers_answer_lets_others_run() {
    with_rig(async |rig| {
        let (config, _database) = job(rig, &[]).await;
        let mut work = rule("The job opens.").succeeds(Work::open(&config).await);
        // Nobody answers this client, and it gives its commit up after a second.
        let mut silent = JobConfig { kafka: nobody(), ..config.clone() };
        silent.kafka.set("session.timeout.ms", "1000");
        let consumer = consumer_config(&silent).create_with_context(work.rebalances.clone());
        work.consumer = Arc::new(consumer.expect("the settings are good"));
        let place = Place { topic: config.topic.clone(), partition: 0, offset: 41 };
        let dead_letter = Read::DeadLetter { place, reason: "no flight".to_owned() };
        let answer = work.write_and_commit(vec![dead_letter]).now_or_never();
        rule("Whoever waits for the broker's answer to a commit lets others run meanwhile.")
            .picture("a dead letter is to be committed, and no broker answers")
            .ask("`CommitMode::Sync` comes back with the answer. On which thread does it wait, and what else was to run there?")
            .holds(answer.is_none(), "an answer, and until then nobody else could run");
    });
}

#[test]
fn an_error_of_the_broker_ends_the_job() {
    with_rig(async |rig| {
        let (mut config, _database) = job(rig, &flights(3)).await;
        config.kafka.set("session.timeout.ms", "3600000").set("max.poll.interval.ms", "3600000");
        let stop = CancellationToken::new();
        let outcome = rule("An error of the broker ends the job: nothing will come any more.")
            .picture("the broker refuses the member: it allows no session of an hour")
            .ask("From some errors the client finds its way back by itself. From this one as well?")
            .within(BOUND, async { run(&config, &stop, &mut |_| {}).await })
            .await;
        rule("An error of the broker comes out of the job.").refuses(
            outcome,
            "Read, with the broker's reason",
            |error| matches!(error, JobError::Read(ReadError::Broker(_))),
        );
    });
}

#[test]
fn a_lost_connection_is_told_and_the_job_goes_on() {
    with_rig(async |rig| {
        let (mut config, _database) = job(rig, &flights(3)).await;
        let brokers = config.kafka.get("bootstrap.servers").expect("it is set").to_owned();
        // The client speaks to both, all the time.
        config.kafka.set("bootstrap.servers", format!("{brokers},127.0.0.1:1"));
        config.kafka.set("enable.sparse.connections", "false");
        config.end = End::Never;
        let (told, read) = (Cell::new(false), Cell::new(0));
        let stop = CancellationToken::new();
        let mut note = |progress: &Progress| {
            told.set(told.get() || progress.trouble.is_some());
            read.set(progress.summary.read);
            if told.get() && read.get() == 3 {
                stop.cancel();
            }
        };
        let outcome = timeout(BOUND, run(&config, &stop, &mut note)).await;
        rule("A lost connection is told in the progress, and the job goes on.")
            .picture("two brokers are named, and at one of the addresses nobody listens; 3 flights")
            .ask(
                "Flights come all the same. Does this error end the job, and where can it be read?",
            )
            .same_bytes(
                format!("trouble told: {}, {} read", told.get(), read.get()),
                "trouble told: true, 3 read",
            );
        let outcome = rule("A job that is stopped ends.").succeeds(outcome);
        rule("A job that is stopped ends well.").succeeds(outcome);
    });
}

#[test]
fn a_slow_database_stops_the_reading() {
    with_rig(async |rig| {
        let (mut config, mut database) = job(rig, &flights(600)).await;
        config.batch = limits(50, HOUR);
        let lock = database.transaction().await.expect("a transaction begins");
        lock.batch_execute("LOCK TABLE processed_events").await.expect("the table can be locked");
        let observer = rig.database.connect().await;
        let read = Cell::new(0);
        let stop = CancellationToken::new();
        let mut note = |progress: &Progress| {
            read.set(progress.summary.read.max(progress.held as u64));
        };
        let script = async {
            rig.database
                .until_somebody_waits_for_a_lock(BOUND, "the job to wait for the table")
                .await;
            // Whoever reads on reads on now: each question gives the job a turn.
            for _ in 0..200 {
                observer.query_one("SELECT 1", &[]).await.expect("the server answers");
            }
            let read_meanwhile = read.get();
            lock.rollback().await.expect("the lock is given back");
            read_meanwhile
        };
        let (outcome, read_meanwhile) = tokio::join!(run(&config, &stop, &mut note), script);
        rule("While the database is busy, nothing is read: at most one batch is held.")
            .picture("600 records; a batch is 50; the table is locked by somebody else")
            .ask("The database is slow for an hour. Where are the records of that hour?")
            .holds(read_meanwhile <= 50, "more records than one batch were read meanwhile");
        let summary = rule("Once the database is free, the job goes on.").succeeds(outcome);
        rule("Every record is written.").same(summary.written, 600);
    });
}

#[test]
fn what_is_taken_away_is_given_up() {
    with_rig(async |rig| {
        // Keys that spread over all three partitions: each job gets some of the records.
        let mut records = flights(120);
        for (number, record) in records.iter_mut().enumerate() {
            record.key = Some(number.to_string().into_bytes());
        }
        let (mut config, database) = job(rig, &records).await;
        config.kafka.set("session.timeout.ms", "1000").set("heartbeat.interval.ms", "100");
        config.batch = limits(1_000, HOUR);
        config.end = End::Never;
        let held = [Cell::new(0), Cell::new(0)];
        let (first_stop, second_stop) = (CancellationToken::new(), CancellationToken::new());
        let given_up = Cell::new(0);
        let first = async {
            run(&config, &first_stop, &mut |progress: &Progress| {
                held[0].set(progress.held);
                given_up.set(progress.summary.given_up);
            })
            .await
        };
        let second = async {
            until(BOUND, "the first job to hold all records", async || {
                if held[0].get() == 120 {
                    Ok(())
                } else {
                    Err(format!("{} records", held[0].get()))
                }
            })
            .await;
            // The first job holds 120 records and has written none. Now another joins its group.
            run(&config, &second_stop, &mut |progress: &Progress| held[1].set(progress.held)).await
        };
        let script = async {
            until(BOUND, "both jobs together to hold all records", async || {
                let (one, other) = (held[0].get(), held[1].get());
                let all_shared = given_up.get() == 120 && one + other == 120 && other > 0;
                // More than all there are: then it holds some of them twice, and a rule says so.
                if all_shared || one > 120 { Ok(()) } else { Err(format!("{one} and {other}")) }
            })
            .await;
            first_stop.cancel();
            second_stop.cancel();
        };
        let (first, second, ()) = tokio::join!(first, second, script);
        let first = rule("A job that is stopped ends well.").succeeds(first);
        let second = rule("A job that is stopped ends well.").succeeds(second);
        rule("What a job holds of a partition that is taken away, it gives up: the next owner reads it.")
            .picture("a holds 120 records, none written; b joins, and both share the partitions anew")
            .ask("Two jobs hold the same record now. Which of them may write it?")
        .holds(rows(&database).await == 120, "some records are there twice, or not at all");
        rule("Every record is there.").same(places(&database).await, 120);
        rule("read = written + dead letters + given up, for each job.").same(
            (first.read, second.read),
            (first.written + first.given_up, second.written + second.given_up),
        );
    });
}

/// Partitions of a job's topic, as the client lists them.
fn partitions(config: &JobConfig, numbers: &[i32]) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for number in numbers {
        list.add_partition(&config.topic, *number);
    }
    list
}

#[test]
fn of_a_revoked_partition_nothing_is_left() {
    with_rig(async |rig| {
        let (config, _database) = job(rig, &[]).await;
        let mut work = rule("The job opens.").succeeds(Work::open(&config).await);
        let consumer = consumer_config(&config).create_with_context(work.rebalances.clone());
        let consumer = consumer.expect("the settings are good");
        let (both, one) = (partitions(&config, &[0, 1]), partitions(&config, &[1]));
        work.rebalances.post_rebalance(&consumer, &Rebalance::Assign(&both));
        rule("Partitions can come.").succeeds(work.follow_rebalances());
        let flight = |partition| {
            let mut flight = read_flights(1).remove(0);
            flight.place.partition = partition;
            Read::Flight(flight)
        };
        let place = Place { topic: config.topic.clone(), partition: 1, offset: 1 };
        let dead_letter = Read::DeadLetter { place, reason: "no flight".to_owned() };
        for read in [flight(0), flight(1), dead_letter] {
            work.count(&read);
            let full = work.held.push(read, Instant::now());
            rule("A batch of 100 takes three records.").holds(full.is_none(), "a full batch");
        }
        work.rebalances.pre_rebalance(&consumer, &Rebalance::Revoke(&one));
        rule("A partition can go.").succeeds(work.follow_rebalances());
        rule("What is held of a partition that goes is given up, its flights are counted, and its end is no longer awaited.")
            .picture("held: a flight of partition 0; a flight and a dead letter of partition 1; 1 is revoked")
            .ask("read = written + dead letters + given up. In which of them is the dead letter already?")
            .same_bytes(
                format!(
                    "{} held, {} given up, partitions {:?}",
                    work.held.len(),
                    work.progress.summary.given_up,
                    work.at_end.keys()
                ),
                "1 held, 1 given up, partitions [0]",
            );
        let failure = KafkaError::Rebalance(RDKafkaErrorCode::IllegalGeneration);
        work.rebalances.pre_rebalance(&consumer, &Rebalance::Error(failure));
        rule("A rebalance that failed ends the job: it no longer knows what is its own.").refuses(
            work.follow_rebalances(),
            "Rebalance",
            |error| matches!(error, JobError::Rebalance { .. }),
        );
    });
}

#[test]
fn a_database_that_goes_away_is_one_sentence_and_no_loss() {
    with_rig(async |rig| {
        let (mut config, mut database) = job(rig, &flights(200)).await;
        config.database.application_name("the job");
        config.batch = limits(20, HOUR);
        let observer = rig.database.connect().await;
        // The job cannot come to its end meanwhile.
        let lock = database.transaction().await.expect("a transaction begins");
        lock.batch_execute("LOCK TABLE processed_events IN EXCLUSIVE MODE")
            .await
            .expect("the table can be locked");
        let script = async {
            rig.database
                .until_somebody_waits_for_a_lock(BOUND, "the job to wait for the table")
                .await;
            let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE application_name = 'the job' AND datname = current_database()";
            observer.query(end, &[]).await.expect("a connection of our own can be ended");
        };
        let (outcome, ()) = tokio::join!(done(&config), script);
        rule("A database that goes away in the middle of a write ends the job, in one sentence.")
            .ask("The write failed. Who may say that it did not?")
            .refuses(outcome, "Table", |error| matches!(error, JobError::Table(_)));
        lock.rollback().await.expect("the lock is given back");
        let outcome = done(&config).await;
        rule("The next job ends well.").succeeds(outcome);
        rule("No record is lost when the database goes away.").same(places(&database).await, 200);
    });
}

/// The job's error, as the person reads it who started it.
async fn refused(config: &JobConfig) -> String {
    done(config).await.map_or_else(|error| error.to_string(), |summary| format!("{summary:?}"))
}

#[test]
fn a_topic_that_is_not_there_is_named() {
    with_rig(async |rig| {
        let (mut config, _database) = job(rig, &[]).await;
        for missing in ["topic", "dead"] {
            let name = rig.kafka.topic(missing);
            let good = config.clone();
            let place =
                if missing == "topic" { &mut config.topic } else { &mut config.dead_letter_topic };
            *place = name.clone();
            rule("A topic that is not there is named, before a record is read.")
                .same_bytes(refused(&config).await.replace(&name, "X"), "topic `X` does not exist");
            config = good;
        }
    });
}

#[test]
fn a_table_of_another_shape_is_refused() {
    with_rig(async |rig| {
        let (config, database) = job(rig, &flights(3)).await;
        database
            .batch_execute("ALTER TABLE processed_events DROP COLUMN tail")
            .await
            .expect("the table can be changed");
        let said = refused(&config).await;
        rule("A table of another shape is refused, with both shapes, and left as it is.").holds(
            said.starts_with("table `processed_events` has the columns topic text, ")
                && said.contains("expected topic text"),
            &said,
        );
        database
            .batch_execute("DROP TABLE processed_events")
            .await
            .expect("the table can be dropped");
        let outcome = done(&config).await;
        rule("Nothing was committed meanwhile.")
            .same(rule("The job makes the table.").succeeds(outcome).written, 3);
    });
}

#[test]
fn a_database_that_takes_no_rows_is_one_sentence_and_no_loss() {
    with_rig(async |rig| {
        let (mut config, database) = job(rig, &flights(3)).await;
        let good = config.database.clone();
        config.database.options("-c default_transaction_read_only=on");
        let said = refused(&config).await;
        // By INSERT or by COPY: the database names the statement.
        rule("A database that takes no rows says so in its own words.").holds(
            said.starts_with("the database: cannot execute ")
                && said.ends_with(" in a read-only transaction"),
            said,
        );
        config.database = good;
        let outcome = done(&config).await;
        rule("Nothing was committed meanwhile.")
            .same(rule("The job runs.").succeeds(outcome).written, 3);
        rule("Each row is there once.").same(rows(&database).await, 3);
    });
}

#[test]
fn a_user_who_may_not_insert_is_told_so_and_nothing_is_lost() {
    with_rig(async |rig| {
        let (mut config, database) = job(rig, &flights(3)).await;
        let good = config.database.clone();
        // A role that may read every table and write none.
        config.database.options("-c role=pg_read_all_data");
        rule("A user who may not insert is told so, in one sentence.").same_bytes(
            refused(&config).await,
            "the database: permission denied for table processed_events",
        );
        config.database = good;
        let outcome = done(&config).await;
        rule("Nothing was committed meanwhile.")
            .same(rule("The job runs.").succeeds(outcome).written, 3);
        rule("Each row is there once.").same(rows(&database).await, 3);
    });
}

#[test]
fn servers_that_are_not_there_are_one_sentence_in_time() {
    with_rig(async |rig| {
        let (good, _database) = job(rig, &[]).await;
        let config = JobConfig { kafka: nobody(), ..good.clone() };
        let said = refused(&config).await;
        rule("A broker that is not there is one sentence, in time.")
            .holds(said.starts_with("cannot speak to the broker: "), &said);
        let database = "postgresql://nobody@127.0.0.1:1/none".parse().expect("it is an address");
        let config = JobConfig { database, ..good };
        let said = refused(&config).await;
        rule("A database that is not there is one sentence, in time.")
            .holds(said.starts_with("the database: error connecting to server: "), &said);
    });
}
