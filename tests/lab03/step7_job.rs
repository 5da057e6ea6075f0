//! Step 7: the job, from a topic to a table.
//!
//! Invariants:
//! 1. In = rows: each record on the topic is one row of the table, however often the job was
//!    started and wherever it was stopped.
//! 2. What is committed is in the table.
//! 3. What cannot be done is an error, and nothing behind it is committed.

use std::time::Duration;

use flights::Flight;
use futures::FutureExt;
use lab03::broker::BrokerError;
use lab03::crash::{Crash, CrashLine, CrashTable, Crashing, Effect};
use lab03::guarantee::{Effects, Record, at_least_once, at_most_once};
use lab03::job::{Done, JobConfig, JobError, KafkaToTable, Until, run};
use lab03::progress::Offsets;
use lab03::sink::{PROCESSED_EVENTS, Row, SinkError, ensure_tables};
use lab03::start::{Start, StartError};
use testkit::{TestRig, rule, with_rig};

use super::at_hand::{
    BOUND, SIX_MS, committed, event_of, flights, member, put_flights, put_payloads,
};

/// So long may a crash behind each effect take, with a restart after each. On a busy machine one
/// job takes seconds to begin.
const ALL_CRASHES: Duration = Duration::from_secs(60);

fn config(rig: &TestRig, topic: &str, group: &str) -> JobConfig {
    JobConfig {
        kafka: rig.kafka.quick_client(),
        topic: topic.to_owned(),
        group: group.to_owned(),
        database: rig.database.url().parse().expect("the rig's address can be read"),
        start: Start::Committed,
        batch_records: 4,
    }
}

/// How many rows the table has; none where there is no table.
async fn rows(rig: &TestRig) -> usize {
    let client = rig.database.connect().await;
    let count = format!("SELECT count(*) FROM {PROCESSED_EVENTS}");
    let row = client.query_one(&count, &[]).await;
    row.map_or(0, |row| row.get::<_, i64>(0) as usize)
}

/// Runs the job to the end of the topic, within a bound.
async fn run_to_the_end(config: &JobConfig) -> Result<Done, JobError> {
    let run = async { run(config, Until::TheEnd, &mut |_| true).await };
    rule("A job that reads to the end of a topic ends.")
        .ask("When is all read that the topic held at the start? Some partitions hold nothing.")
        .within(BOUND, run)
        .await
}

#[test]
fn each_record_becomes_a_row_and_a_second_run_adds_none() {
    with_rig(async |rig| {
        let topic = rig.kafka.create_topic("flights", 3).await;
        put_flights(&rig.kafka, &topic, &flights(21)).await;
        let group = rig.kafka.group("g");
        let config = config(rig, &topic, &group);
        let done = rule("The job runs.").succeeds(run_to_the_end(&config).await);
        rule("Each record on the topic is one row of the table.")
            .picture("21 flights: 11 on partition 0, 10 on partition 1, none on partition 2")
            .same((done, rows(rig).await), (Done { records: 21, new_rows: 21 }, 21));
        rule("At its end the job has committed all that it has written.")
            .same(committed(&rig.kafka, &topic, &group, 3), Offsets::from([(0, 11), (1, 10)]));
        let done = rule("The job runs a second time.").succeeds(run_to_the_end(&config).await);
        rule("A second run goes on where the first one committed: there is nothing to do.")
            .same(done, Done::default());
        let again = JobConfig { start: Start::Earliest, ..config };
        let done = rule("The job runs from the beginning.").succeeds(run_to_the_end(&again).await);
        rule("A run from the beginning reads all records again, and no row is new.")
            .same((done, rows(rig).await), (Done { records: 21, new_rows: 0 }, 21));
    });
}

#[test]
fn a_row_has_the_departure_of_its_record_and_the_slot_of_its_flight() {
    with_rig(async |rig| {
        let topic = rig.kafka.create_topic("flights", 2).await;
        let flight = Flight { delay_min: 47, ..flights(1).remove(0) };
        put_flights(&rig.kafka, &topic, std::slice::from_ref(&flight)).await;
        let config = config(rig, &topic, &rig.kafka.group("g"));
        rule("The job runs.").succeeds(run_to_the_end(&config).await);
        let client = rig.database.connect().await;
        let instants = format!(
            "SELECT (extract(epoch FROM departed) * 1000)::bigint, \
                 (extract(epoch FROM scheduled) * 1000)::bigint FROM {PROCESSED_EVENTS}"
        );
        let row = client.query_one(&instants, &[]).await.expect("there is one row");
        let told = |ms: i64| flights::utc::format(ms);
        rule("The departure is the record's own timestamp, and the slot is in its payload.")
            .picture("a flight that has left 47 min behind its slot: departure, then slot")
            .ask("A record has an instant outside of its payload and one inside. Which of them says when the flight left?")
            .same_bytes(
                format!("{} {}", told(row.get(0)), told(row.get(1))),
                format!("{} {}", told(flight.departed_ms()), told(flight.scheduled_ms)),
            );
    });
}

#[test]
fn a_poll_waits_for_its_first_record_alone() {
    with_rig(async |rig| {
        let topic = rig.kafka.create_topic("flights", 2).await;
        put_flights(&rig.kafka, &topic, &flights(1)).await;
        let config = config(rig, &topic, &rig.kafka.group("g"));
        let mut job = rule("The job opens.").succeeds(KafkaToTable::open(&config).await);
        let answered_at_once = async {
            loop {
                // Where it would wait, it is broken off: then it must not have taken a record yet.
                let records = job.poll().now_or_never().transpose();
                let records = rule("A poll succeeds.").succeeds(records).unwrap_or_default();
                if !records.is_empty() {
                    return records.len();
                }
                tokio::task::yield_now().await;
            }
        };
        let records = rule(
            "A poll waits for its first record, and takes with it what is there already.",
        )
        .picture("one record is there, a batch takes 4; a poll that would wait is broken off")
        .ask(
            "The next record comes in an hour. Until when does your poll keep the one that it has?",
        )
        .within(BOUND, answered_at_once)
        .await;
        rule("A poll gives the records that are there.").same(records, 1);
    });
}

/// Counts the rows that are written.
struct Counted<'a> {
    job: KafkaToTable,
    written: &'a mut usize,
}

impl Effects for Counted<'_> {
    type Row = Row;
    type Error = JobError;

    async fn poll(&mut self) -> Result<Vec<Record>, JobError> {
        self.job.poll().await
    }

    fn process(&mut self, record: &Record) -> Result<Row, JobError> {
        self.job.process(record)
    }

    async fn write(&mut self, rows: &[Row]) -> Result<(), JobError> {
        self.job.write(rows).await?;
        *self.written += rows.len();
        Ok(())
    }

    async fn commit(&mut self, next: &Offsets) -> Result<(), JobError> {
        self.job.commit(next).await
    }
}

/// Crashes the job once behind each effect, each time with a topic and a group of its own, and
/// restarts it. `turn` is one turn of the loop, and says whether it came through.
async fn real_crash_table(
    rig: &TestRig,
    title: &str,
    turn: impl AsyncFn(&mut Crashing<Counted<'_>>) -> bool,
) -> CrashTable {
    const RECORDS: usize = 8;
    let mut lines = Vec::new();
    for after in Effect::ALL {
        let topic = rig.kafka.create_topic(after.name(), 2).await;
        put_flights(&rig.kafka, &topic, &flights(RECORDS)).await;
        let config = config(rig, &topic, &rig.kafka.group(after.name()));
        let before = rows(rig).await;
        let mut written = 0;
        for crash in [Crash::AfterFirst(after), Crash::Never] {
            let job = rule("The job opens.").succeeds(KafkaToTable::open(&config).await);
            let mut job = Crashing::new(Counted { job, written: &mut written }, crash);
            while !job.inner().job.is_at_the_end() && turn(&mut job).await && !job.is_over() {}
        }
        let rows = rows(rig).await - before;
        let (lost, repeated) = (RECORDS - rows, written.saturating_sub(rows));
        lines.push(CrashLine { after, lost, repeated, first_lost: None });
    }
    CrashTable { title: title.to_owned(), records: RECORDS, lines }
}

/// For each effect, whether a crash behind it loses and whether it repeats.
fn costs(table: &CrashTable) -> Vec<String> {
    let cost = |line: &CrashLine| match (line.lost, line.repeated) {
        (0, 0) => format!("{}: nothing", line.after.name()),
        (_, 0) => format!("{}: lost", line.after.name()),
        (0, _) => format!("{}: repeated", line.after.name()),
        _ => format!("{}: lost and repeated", line.after.name()),
    };
    table.lines.iter().map(cost).collect()
}

#[test]
fn at_least_once_on_real_servers_loses_nothing() {
    with_rig(async |rig| {
        let turn = async |job: &mut Crashing<Counted<'_>>| at_least_once(job).await.is_ok();
        let table = real_crash_table(rig, "at least once, Kafka and PostgreSQL", turn);
        let table = rule("The restarted job comes to the end of the topic.")
            .ask("Where does the restart begin, and does your loop give 0 when nothing is left?")
            .within(ALL_CRASHES, table)
            .await;
        let picture = "8 records, one crash behind each effect, then a restart";
        rule("At least once, with a real topic and a real table: a crash loses nothing.")
            .picture(picture)
            .ask("The loop is right, as step 2 shows. What does a consumer commit when nobody tells it to, and what when it is closed?")
            .holds(table.lost() == 0, "records that no restart reads again");
        rule("What is written and not committed is written again, and nothing else.")
            .picture(picture)
            .same_bytes(
                costs(&table).join(", "),
                "poll: nothing, process: nothing, write: repeated, commit: nothing",
            );
        println!("{table}");
    });
}

#[test]
fn at_most_once_on_real_servers_repeats_nothing() {
    with_rig(async |rig| {
        let turn = async |job: &mut Crashing<Counted<'_>>| at_most_once(job).await.is_ok();
        let table = real_crash_table(rig, "at most once, Kafka and PostgreSQL", turn);
        let table = rule("The restarted job comes to the end of the topic.")
            .ask("Where does the restart begin, and does your loop give 0 when nothing is left?")
            .within(ALL_CRASHES, table)
            .await;
        println!("{table}");
        rule("At most once, with a real topic and a real table: a crash repeats nothing.")
            .picture(
                "8 records, one crash behind each effect; the process is gone, its consumer too",
            )
            .ask("Has the broker answered when your commit returns?")
            .same_bytes(
                costs(&table).join(", "),
                "poll: nothing, process: lost, write: nothing, commit: lost",
            );
        println!("{table}");
    });
}

#[test]
fn a_job_that_is_told_to_stop_finishes_its_turn() {
    with_rig(async |rig| {
        let topic = rig.kafka.create_topic("flights", 2).await;
        put_flights(&rig.kafka, &topic, &flights(20)).await;
        let group = rig.kafka.group("g");
        let config = config(rig, &topic, &group);
        let mut turns = 0;
        let stopped = async {
            let mut go_on = |done: Done| {
                turns += usize::from(done.records > 0);
                turns < 2
            };
            run(&config, Until::Stopped, &mut go_on).await
        };
        let stopped = rule("A job that is told to stop ends.").within(BOUND, stopped).await;
        let done = rule("A job that is told to stop ends well.").succeeds(stopped);
        let rows = rows(rig).await;
        let committed: i64 = committed(&rig.kafka, &topic, &group, 2).values().sum();
        rule("What was read is written and committed when the job stops.")
            .picture("20 records, at most 4 in a turn, told to stop behind the second turn that read some")
            .ask("Between which two turns is the job asked whether it may go on?")
            .holds(
                done.records == rows && rows as i64 == committed && rows < 20,
                format!("{} read, {rows} rows, {committed} committed", done.records),
            );
    });
}

#[test]
fn a_job_without_an_end_waits_for_further_records() {
    with_rig(async |rig| {
        let topic = rig.kafka.create_topic("flights", 2).await;
        let config = config(rig, &topic, &rig.kafka.group("g"));
        let all = flights(4);
        let (started, waits) = tokio::sync::oneshot::channel();
        let mut started = Some(started);
        let mut go_on = |done: Done| {
            // The first turn has found nothing.
            if let Some(started) = started.take() {
                let _ = started.send(());
            }
            done.records < 4
        };
        let job = run(&config, Until::Stopped, &mut go_on);
        let write = async {
            waits.await.expect("the job takes a turn");
            put_flights(&rig.kafka, &topic, &all).await;
        };
        let both = async { tokio::join!(job, write) };
        let (result, ()) = rule("A job without an end reads what is written while it waits.")
            .within(BOUND, both)
            .await;
        let done = rule("The job runs.").succeeds(result);
        rule("Each record is one row.").same(done, Done { records: 4, new_rows: 4 });
    });
}

#[test]
fn a_record_that_is_no_flight_stops_the_job_and_is_not_committed() {
    with_rig(async |rig| {
        let topic = rig.kafka.create_topic("flights", 1).await;
        let good = event_of(&flights(1)[0]);
        let records: Vec<(i64, String)> = [&*good, &*good, &*good, &*good, &*good, "{}", &*good]
            .map(|payload| (SIX_MS, payload.to_owned()))
            .to_vec();
        put_payloads(&rig.kafka, &topic, 0, &records).await;
        let group = rig.kafka.group("g");
        let config = JobConfig { batch_records: 1, ..config(rig, &topic, &group) };
        rule("A record that is no flight stops this job, which says where it lies.")
            .picture(
                "offset   0 1 2 3 4  5   6
         flights    {}  a flight",
            )
            .refuses(run_to_the_end(&config).await, "BadRecord, partition 0, offset 5", |error| {
                matches!(error, JobError::BadRecord { partition: 0, offset: 5, .. })
            });
        let rows = rows(rig).await;
        rule("The records before it are written and committed; it is not, and so not lost.")
            .ask("Whoever skips a record without a word has lost it. Who would ever find out?")
            .same((rows, committed(&rig.kafka, &topic, &group, 1)), (5, Offsets::from([(0, 5)])));
    });
}

#[test]
fn records_deleted_while_the_job_reads_are_no_reason_to_jump() {
    with_rig(async |rig| {
        let topic = rig.kafka.create_topic("flights", 1).await;
        let event = event_of(&flights(1)[0]);
        put_payloads(&rig.kafka, &topic, 0, &vec![(SIX_MS, event); 60]).await;
        let mut config = config(rig, &topic, &rig.kafka.group("g"));
        config.batch_records = 1;
        // A client that holds as few records as it can, and asks for the next ones at once.
        config.kafka.set("queued.min.messages", "1").set("fetch.message.max.bytes", "100");
        config.kafka.set("fetch.queue.backoff.ms", "1");
        let mut job = rule("The job opens.").succeeds(KafkaToTable::open(&config).await);
        let first = async {
            loop {
                match at_least_once(&mut job).await {
                    Ok(0) => {}
                    other => return other,
                }
            }
        };
        rule("The job reads a record.").within(BOUND, first).await.ok();
        rig.kafka.delete_before(&topic, 0, 50).await;
        let rest = async {
            while !job.is_at_the_end() {
                at_least_once(&mut job).await?;
            }
            Ok(())
        };
        let result = rule("A job whose next records were deleted comes to an end.")
            .picture("60 records; behind the first, all up to offset 50 are deleted")
            .ask("`auto.offset.reset` says where a client goes when its offset is not there. Where is yours now, and what does it wait for?")
            .within(BOUND, rest)
            .await;
        rule("A job whose next records were deleted says so, and does not jump.")
            .picture("60 records; behind the first, all up to offset 50 are deleted")
            .ask("`auto.offset.reset` says where a client goes when its offset is not there. Must it go anywhere?")
            .refuses(result, "Gone", |error: &JobError| matches!(error, JobError::Gone { topic: name } if *name == topic));
    });
}

#[test]
fn a_group_in_use_takes_no_commit_of_the_job() {
    with_rig(async |rig| {
        let topic = rig.kafka.create_topic("flights", 2).await;
        put_flights(&rig.kafka, &topic, &flights(4)).await;
        let group = rig.kafka.group("g");
        let _living = member(&rig.kafka, &topic, &group).await;
        rule("A job that is no member cannot commit for a group that has one.")
            .ask("Both would read all partitions and overwrite each other's offsets. Who stops them?")
            .refuses(
                run_to_the_end(&config(rig, &topic, &group)).await,
                "InUse",
                |error| matches!(error, JobError::InUse { group: name } if *name == group),
            );
        rule("Nothing was committed.")
            .same(committed(&rig.kafka, &topic, &group, 2), Offsets::new());
    });
}

#[test]
fn what_cannot_be_used_is_one_sentence_and_nothing_is_committed() {
    with_rig(async |rig| {
        let topic = rig.kafka.create_topic("flights", 2).await;
        put_flights(&rig.kafka, &topic, &flights(4)).await;
        let group = rig.kafka.group("g");
        let good = config(rig, &topic, &group);

        let missing = JobConfig { topic: rig.kafka.topic("missing"), ..good.clone() };
        rule("A topic that is not there is named.").refuses(
            run_to_the_end(&missing).await,
            "NoTopic",
            |error| {
                matches!(
                    error,
                    JobError::Broker(BrokerError::NoTopic { .. })
                        | JobError::Start(StartError::Broker(BrokerError::NoTopic { .. }))
                )
            },
        );
        let beyond = JobConfig { start: Start::Offset(9), ..good.clone() };
        rule("An offset that is not there is named.").refuses(
            run_to_the_end(&beyond).await,
            "OutOfRange, offset 9",
            |error| matches!(error, JobError::Start(StartError::OutOfRange { offset: 9, .. })),
        );
        let nobody = "postgresql://nobody@127.0.0.1:1/none".parse().expect("it is an address");
        let gone = JobConfig { database: nobody, ..good.clone() };
        rule("A database that is not there is an error.").refuses(
            run_to_the_end(&gone).await,
            "Database",
            |error| matches!(error, JobError::Database(_)),
        );
        let mut reader = good.clone();
        reader.database.options("-c role=pg_read_all_data");
        rule("A user who may not write is told so.").refuses(
            run_to_the_end(&reader).await,
            "permission denied",
            |error| {
                matches!(error, JobError::Sink(SinkError::Database { .. }))
                    && error.to_string().contains("permission denied")
            },
        );
        rule("Nothing was committed: what failed is read again.")
            .same(committed(&rig.kafka, &topic, &group, 2), Offsets::new());
        let done =
            rule("When the fault is mended, the job runs.").succeeds(run_to_the_end(&good).await);
        rule("Nothing was lost.").same(done, Done { records: 4, new_rows: 4 });
    });
}

#[test]
fn a_user_who_may_not_insert_is_told_so_and_nothing_is_lost() {
    with_rig(async |rig| {
        let topic = rig.kafka.create_topic("flights", 2).await;
        put_flights(&rig.kafka, &topic, &flights(4)).await;
        let group = rig.kafka.group("g");
        let good = config(rig, &topic, &group);
        let client = rig.database.connect().await;
        ensure_tables(&client).await.expect("the tables can be made");
        // A role that may read every table and write none. To look for a table costs the right to
        // make one.
        let grant = "GRANT CREATE ON SCHEMA public TO pg_read_all_data";
        client.batch_execute(grant).await.expect("the schema is ours");
        let mut reader = good.clone();
        reader.database.options("-c role=pg_read_all_data");
        let refused = run_to_the_end(&reader).await;
        rule("A user who may not insert is told so, in one sentence.").same_bytes(
            refused.map_or_else(|error| error.to_string(), |done| format!("{done:?}")),
            "table `processed_events`: permission denied for table processed_events",
        );
        rule("Nothing was committed: what was not written is read again.")
            .same(committed(&rig.kafka, &topic, &group, 2), Offsets::new());
        let done =
            rule("A user who may insert finds every record.").succeeds(run_to_the_end(&good).await);
        rule("Nothing was lost.").same(done, Done { records: 4, new_rows: 4 });
    });
}
