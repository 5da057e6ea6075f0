//! Step 4: the loop on real servers.
//!
//! Invariants:
//! 1. Wherever the job crashes, or loses its database: after the next start the tables are those of a
//!    job that was never disturbed.
//! 2. What cannot be gone on with is refused in one sentence, and nothing is written.

use std::panic::{AssertUnwindSafe, resume_unwind};

use flights::generator::Generator;
use futures::FutureExt;
use lab05::input::Until;
use lab06::crash::{Effect, Log, Memory};
use lab06::job::{Begin, Ended, Job, JobConfig, JobError, Progress, run};
use lab06::recovery::{RecoveryError, Which};
use lab06::state::SavedPartition;
use lab06::store::StoreError;
use lab06::turn::{Record, checkpoint, turn};
use testkit::{TestRig, rule, until, with_rig};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::{JoinError, spawn_blocking};
use tokio_postgres::Config;
use tokio_util::sync::CancellationToken;

use super::at_hand::{at, flight, minutes, no_flight, record, record_of};
use super::at_hand_job::{
    BOUND, checkpoint_ids, connect, contents, job_config, machine, make_topic, put,
};
use super::proxy::{Cut, cutting};

/// Before a real log, the loop takes one in memory.
fn first_in_memory() {
    let mut memory = Memory::unread(Log::OnePartition);
    let inputs = futures::executor::block_on(turn(&mut memory));
    rule("A turn on a log in memory comes through.").holds(inputs.is_ok(), "a failure");
}

/// Flights of four hours in one partition, further out of order than the bound, and among them one
/// that is none: some are late, some are dropped.
fn out_of_order(count: u32) -> Vec<Record> {
    let generator = Generator::out_of_order(6, minutes(90)).expect("a bound of whole minutes");
    let flights = (0..count).map(|index| record_of(0, 0, &generator.flight(index * 480)));
    let mut records: Vec<Record> = flights.collect();
    records.insert(records.len() / 2, no_flight(0, 0));
    records
}

/// Runs a job to its end, and tells of its effects.
async fn watched(config: &JobConfig, watch: &mut dyn FnMut(Effect)) -> Result<Ended, JobError> {
    let (stop, mut progress) = (CancellationToken::new(), |_: &_| {});
    let run = run(config, &stop, &mut progress, watch);
    rule("A job that reads to the end of a topic ends.").within(BOUND, run).await
}

async fn to_the_end(config: &JobConfig) -> Result<Ended, JobError> {
    watched(config, &mut |_| {}).await
}

/// What a process is told when it crashes: nothing, and nobody is there any more.
struct Crash;

/// Runs a job that crashes behind an effect, the so-manieth time it happens.
async fn crashing(config: &JobConfig, after: Effect, mut number: usize) {
    let mut watch = |effect| {
        number -= usize::from(effect == after);
        if number == 0 {
            // Not `panic!`: that would be told as a failure of the test.
            resume_unwind(Box::new(Crash));
        }
    };
    match AssertUnwindSafe(watched(config, &mut watch)).catch_unwind().await {
        Err(end) if end.is::<Crash>() => {}
        Err(end) => resume_unwind(end),
        Ok(_) => panic!("the job ended before its crash behind {}", after.name()),
    }
}

/// The number of lines that one text has and the other has not.
fn missing(from: &str, in_other: &str) -> usize {
    in_other.lines().filter(|line| !from.lines().any(|other| other == *line)).count()
}

/// A line of the table of crashes.
fn line(name: &str, got: &str, expected: &str) -> String {
    let (lost, other) = (missing(got, expected), missing(expected, got));
    format!("\n  {name:<18} {lost:>9} {other:>10}")
}

const HEAD: &str = "41 records, Kafka and PostgreSQL, one crash, then a restart\n  \
                    crash after        rows lost   rows else";

const MOMENT: &str =
    "What was in memory when it crashed, and what of that had been written together?";

#[test]
fn wherever_the_real_job_crashes_its_tables_are_those_of_one_undisturbed() {
    first_in_memory();
    with_rig(async |rig| {
        let topic = rig.kafka.create_topic("flights", 1).await;
        put(&rig.kafka, &topic, &out_of_order(40)).await;
        let config = job_config(rig, &topic, machine(&rig.database, "undisturbed").await);
        let mut effects = Vec::new();
        let ended = watched(&config, &mut |effect| effects.push(effect)).await;
        rule("An undisturbed job comes to its end.").succeeds(ended);
        let expected = contents(&connect(&config.database).await).await;

        let mut tried: Vec<Effect> = effects.clone();
        tried.sort();
        tried.dedup();
        let times = |after| match after {
            // In how many polls the records come is the broker's affair.
            Effect::Poll => 1,
            after => effects.iter().filter(|effect| **effect == after).count(),
        };
        let mut crashes = Vec::new();
        for after in tried.clone() {
            let database = machine(&rig.database, &format!("after_{}", after.name())).await;
            let config = JobConfig { database, ..config.clone() };
            let number = times(after) / 2 + 1;
            // On a thread of its own: a Kafka client holds its thread up when it ends.
            crashes.push(spawn_blocking(move || {
                Handle::current().block_on(crashed_and_restarted(config, after, number))
            }));
        }
        let mut tables = Vec::new();
        for crash in crashes {
            let table = crash.await.map_err(JoinError::into_panic);
            tables.push(table.unwrap_or_else(|panic| resume_unwind(panic)));
        }
        let lines =
            tried.iter().zip(&tables).map(|(after, got)| line(after.name(), got, &expected));
        let table = HEAD.to_owned() + &lines.collect::<String>();
        rule(
            "Wherever the job crashes, after the restart its tables are those of one undisturbed.",
        )
        .picture(&table)
        .ask(MOMENT)
        .holds(tables.iter().all(|got| *got == expected), "other tables");
        println!("{table}");
    });
}

/// The tables of a job that has crashed behind an effect and was started again.
async fn crashed_and_restarted(config: JobConfig, after: Effect, number: usize) -> String {
    crashing(&config, after, number).await;
    let again = to_the_end(&config).await;
    rule("After a crash the job can be started again.").succeeds(again);
    contents(&connect(&config.database).await).await
}

/// The same database, over a wire that is cut.
fn over_a_cut_wire(rig: &TestRig, direct: &Config, cut: Cut, commit: usize) -> Config {
    let url = rig.database.url();
    let port = direct.get_ports().first().copied().unwrap_or(5432);
    let host = match direct.get_hosts().first() {
        Some(tokio_postgres::config::Host::Tcp(host)) => host.clone(),
        other => panic!("expected a server on the network, found {other:?}"),
    };
    let proxy = cutting((&host, port), cut, commit);
    let url = url.replacen(&format!("@{host}:{port}/"), &format!("@127.0.0.1:{proxy}/"), 1);
    let mut config: Config = url.parse().expect("it is an address");
    config.options(direct.get_options().unwrap_or_default());
    config
}

#[test]
fn a_commit_that_is_not_answered_loses_and_repeats_nothing() {
    first_in_memory();
    with_rig(async |rig| {
        let topic = rig.kafka.create_topic("flights", 1).await;
        put(&rig.kafka, &topic, &out_of_order(40)).await;
        let config = job_config(rig, &topic, machine(&rig.database, "undisturbed").await);
        rule("An undisturbed job comes to its end.").succeeds(to_the_end(&config).await);
        let expected = contents(&connect(&config.database).await).await;
        for (cut, name, committed) in [
            (Cut::BeforeTheServer, "before_the_server", vec![1, 2]),
            (Cut::BeforeTheAnswer, "before_the_answer", vec![1, 2, 3]),
        ] {
            let direct = machine(&rig.database, name).await;
            // The first commit on the wire is that of the tables.
            let database = over_a_cut_wire(rig, &direct, cut, 1 + 3);
            let cut_off = JobConfig { database, ..config.clone() };
            rule("A job whose commit is not answered stops, and says that nobody knows.")
                .picture(format!("the wire to the database is cut at the third checkpoint's commit, {name}"))
                .ask("The commit may have happened. What could a job that goes on still know for sure?")
                .refuses(to_the_end(&cut_off).await, "Unanswered", |error| {
                    matches!(error, JobError::Store(StoreError::Unanswered(_)))
                });
            let looker = connect(&direct).await;
            // The server ends a transaction when it notices that nobody is there.
            let last = committed.clone();
            until(BOUND, format!("checkpoints {last:?}"), async || {
                let ids = checkpoint_ids(&looker, "board").await;
                if ids == committed { Ok(()) } else { Err(format!("{ids:?}")) }
            })
            .await;
            let again = to_the_end(&JobConfig { database: direct, ..config.clone() }).await;
            rule("The job can be started again.").succeeds(again);
            rule("The next start finds out what was committed, and its tables are those of one undisturbed.")
                .picture(format!("the wire to the database was cut at the third checkpoint's commit, {name}"))
                .ask(MOMENT)
                .same_lines(&contents(&looker).await, &expected);
        }
    });
}

#[test]
fn a_job_that_has_finished_goes_on_when_records_are_added() {
    first_in_memory();
    with_rig(async |rig| {
        let records = out_of_order(40);
        let (first, added) = records.split_at(25);
        let at_once = rig.kafka.create_topic("at-once", 1).await;
        put(&rig.kafka, &at_once, &records).await;
        let config = job_config(rig, &at_once, machine(&rig.database, "at_once").await);
        rule("A job comes to its end.").succeeds(to_the_end(&config).await);
        // Nothing fires by the end of the first part but what the rest corrects.
        let expected = contents(&connect(&config.database).await).await;

        let topic = rig.kafka.create_topic("flights", 1).await;
        put(&rig.kafka, &topic, first).await;
        let config = job_config(rig, &topic, machine(&rig.database, "in_two").await);
        let ended = rule("A job comes to its end.").succeeds(to_the_end(&config).await);
        let again = rule("A job that has finished can be started again.")
            .succeeds(to_the_end(&config).await);
        rule("Where nothing was added there is nothing to do, and no further checkpoint.")
            .same((again.progress.read, again.checkpoint), (0, ended.checkpoint));
        put(&rig.kafka, &topic, added).await;
        let again =
            rule("A job goes on when records were added.").succeeds(to_the_end(&config).await);
        rule("Only what was added is read.").same(again.progress.read, added.len() as u64);
        rule("The tables are those of a job that had all records at once.")
            .ask("What had the end of the first part brought about, and was it in the checkpoint?")
            .same_lines(&contents(&connect(&config.database).await).await, &expected);
    });
}

#[test]
fn partitions_that_were_added_are_read_from_their_first_record_on() {
    first_in_memory();
    with_rig(async |rig| {
        let topic = rig.kafka.create_topic("flights", 1).await;
        put(&rig.kafka, &topic, &[record(0, 0, "EWR", "06:10", 0)]).await;
        let config = job_config(rig, &topic, machine(&rig.database, "grown").await);
        rule("A job comes to its end.").succeeds(to_the_end(&config).await);
        rig.kafka.grow_topic(&topic, 2).await;
        put(&rig.kafka, &topic, &[record(1, 0, "LGA", "06:40", 0)]).await;
        let ended =
            rule("A job goes on when partitions were added.").succeeds(to_the_end(&config).await);
        let partitions = ended.checkpoint.partitions;
        let next: Vec<i64> = partitions.iter().map(|saved| saved.next_offset).collect();
        rule("A partition that was added is read from its first record on, and is in the checkpoint.")
            .same((ended.progress.read, next), (1, vec![1, 1]));
    });
}

#[test]
fn a_partition_that_is_added_while_the_job_runs_is_waited_for_and_in_the_checkpoint() {
    first_in_memory();
    with_rig(async |rig| {
        let topic = rig.kafka.create_topic("flights", 1).await;
        let config = job_config(rig, &topic, machine(&rig.database, "growing").await);
        let config = JobConfig { until: Until::Stopped, ..config };
        let stop = CancellationToken::new();
        let (tell, mut told) = unbounded_channel();
        let tell = &mut |now: &Progress| tell.send(*now).expect("the test listens");
        let mut silent = |_| {};
        let job = run(&config, &stop, tell, &mut silent);
        let at_ms = |index: u64| at("06:00") + i64::try_from(index).expect("small") * 60_000;
        let of_minute = |index| record_of(0, 0, &flight("EWR", at_ms(index), 0));
        let grow = async {
            put(&rig.kafka, &topic, &[of_minute(0)]).await;
            let mut now = until_read(&mut told, 1).await;
            rig.kafka.grow_topic(&topic, 2).await;
            let stands_still = async {
                loop {
                    let before_ms = now.watermark_ms;
                    put(&rig.kafka, &topic, &[of_minute(now.read)]).await;
                    now = until_read(&mut told, now.read + 1).await;
                    if now.watermark_ms == before_ms {
                        return;
                    }
                }
            };
            rule("Until a partition that was added has spoken, the watermark stands still.")
                .within(BOUND, stands_still)
                .await;
            stop.cancel();
        };
        let (ended, ()) = tokio::join!(job, grow);
        let ended = rule("The job ends in good order.").succeeds(ended);
        let partitions = ended.checkpoint.partitions;
        let added = partitions.iter().find(|saved| saved.partition == 1).cloned();
        let unread = SavedPartition {
            partition: 1,
            next_offset: 0,
            last_record: None,
            max_timestamp_ms: None,
            idle: false,
        };
        rule("A partition that was added is in the checkpoint before its first record.")
            .same(added, Some(unread));
    });
}

/// Waits until the job has read so many records.
async fn until_read(told: &mut UnboundedReceiver<Progress>, records: u64) -> Progress {
    let seen = async {
        loop {
            let now = told.recv().await.expect("the job is at work");
            if now.read >= records {
                return now;
            }
        }
    };
    rule(format!("The job reads {records} records.")).within(BOUND, seen).await
}

#[test]
fn of_two_jobs_with_one_name_one_stops_and_nothing_is_written_twice() {
    first_in_memory();
    with_rig(async |rig| {
        let topic = rig.kafka.create_topic("flights", 1).await;
        put(&rig.kafka, &topic, &out_of_order(40)).await;
        let config = job_config(rig, &topic, machine(&rig.database, "undisturbed").await);
        rule("An undisturbed job comes to its end.").succeeds(to_the_end(&config).await);
        let expected = contents(&connect(&config.database).await).await;

        let database = machine(&rig.database, "two_jobs").await;
        let config = JobConfig { database, ..config };
        let mut silent = |_| {};
        let opened = Job::open(&config, &CancellationToken::new(), &mut silent).await;
        let mut first = rule("A job opens.").succeeds(opened);
        rule("A second one of the same name runs.").succeeds(to_the_end(&config).await);
        let stopped = async {
            loop {
                turn(&mut first).await?;
            }
        };
        let result: Result<(), JobError> =
            rule("The first one stops.").within(BOUND, stopped).await;
        rule("Of two jobs with one name the one that comes second with a checkpoint stops.")
            .ask("Both began at the same offset. By what do they meet?")
            .refuses(result, "AlreadyThere", |error| {
                error.to_string()
                    == "job `board` has checkpoint 1 or a later one already: another instance of \
                        this name is at work"
            });
        rule("Nothing is in the tables twice.")
            .ask("The first one had results in hand when it was refused. Which of them are there all the same?")
            .same_lines(&contents(&connect(&config.database).await).await, &expected);
    });
}

#[test]
fn a_table_that_is_dropped_under_the_job_is_one_sentence() {
    first_in_memory();
    with_rig(async |rig| {
        let topic = rig.kafka.create_topic("flights", 1).await;
        put(&rig.kafka, &topic, &out_of_order(40)).await;
        let config = job_config(rig, &topic, machine(&rig.database, "dropped").await);
        let looker = connect(&config.database).await;
        let mut silent = |_| {};
        let opened = Job::open(&config, &CancellationToken::new(), &mut silent).await;
        let mut job = rule("A job opens.").succeeds(opened);
        let written = checkpoint(&mut job).await;
        rule("A checkpoint can be made at any time.").succeeds(written);
        looker.batch_execute("DROP TABLE dropped_records").await.expect("it is there");
        let on = async {
            while !job.is_at_the_end() {
                turn(&mut job).await?;
            }
            checkpoint(&mut job).await
        };
        let result = rule("The job stops.").within(BOUND, on).await;
        rule("A table that is gone is named.").refuses(result, "Table", |error| {
            error.to_string()
                == "table `dropped_records`: relation \"dropped_records\" does not exist"
        });
        drop(job);
        let again = to_the_end(&config).await;
        rule("The next start does not make it anew: what was in it would be lost without a word.")
            .refuses(again, "Lost", |error| {
                matches!(error, JobError::Store(StoreError::Lost { table: "dropped_records" }))
            });
    });
}

#[test]
fn checkpoints_that_are_dropped_are_missed_and_not_begun_anew() {
    first_in_memory();
    with_rig(async |rig| {
        let topic = rig.kafka.create_topic("flights", 1).await;
        put(&rig.kafka, &topic, &out_of_order(40)).await;
        let config = job_config(rig, &topic, machine(&rig.database, "without").await);
        rule("A job comes to its end.").succeeds(to_the_end(&config).await);
        let looker = connect(&config.database).await;
        let before = contents(&looker).await;
        looker.batch_execute("TRUNCATE checkpoints").await.expect("it is there");
        let the_rule =
            "Without its checkpoints the job would begin at the first record, over full tables.";
        rule(the_rule).refuses(to_the_end(&config).await, "FullTable", |error| {
            matches!(
                error,
                JobError::Recovery(RecoveryError::FullTable {
                    table: "processed_events_aggregated",
                    ..
                })
            )
        });
        rule("No row was written.").same_lines(&contents(&looker).await, &before);
        looker.batch_execute("DROP TABLE checkpoints").await.expect("it is there");
        rule(the_rule).refuses(to_the_end(&config).await, "Lost", |error| {
            matches!(error, JobError::Store(StoreError::Lost { table: "checkpoints" }))
        });
        looker
            .batch_execute("DROP TABLE processed_events_aggregated, dropped_records, dead_letters")
            .await
            .expect("they are there");
        rule("Where all is gone but the epochs, the job begins anew.")
            .succeeds(to_the_end(&config).await);
        rule("Its tables are as they were.").same_lines(&contents(&looker).await, &before);
    });
}

#[test]
fn a_topic_made_anew_is_refused_by_the_job_and_nothing_is_written() {
    first_in_memory();
    with_rig(async |rig| {
        let topic = rig.kafka.topic("flights");
        make_topic(&rig.kafka, &topic).await;
        put(&rig.kafka, &topic, &out_of_order(10)).await;
        let config = job_config(rig, &topic, machine(&rig.database, "anew").await);
        let ended = rule("A job comes to its end.").succeeds(to_the_end(&config).await);
        let looker = connect(&config.database).await;
        let before = (contents(&looker).await, checkpoint_ids(&looker, "board").await);
        let read = ended.progress.read;
        for (what, count) in [("fewer", read - 1), ("as many", read), ("more", read + 9)] {
            rig.kafka.delete(&topic).await;
            make_topic(&rig.kafka, &topic).await;
            let others = (0..count).map(|index| at("09:00") + i64::try_from(index).expect("few"));
            let others: Vec<Record> =
                others.map(|slot_ms| record_of(0, 0, &flight("EWR", slot_ms, 0))).collect();
            put(&rig.kafka, &topic, &others).await;
            let picture = format!("{read} records were read; made anew with {what}: {count}");
            rule("A job whose topic was made anew does not begin, whether the offsets fit or not.")
                .picture(&picture)
                .refuses(to_the_end(&config).await, "OtherRecords", |error| {
                    matches!(
                        error,
                        JobError::Recovery(RecoveryError::OtherRecords { partition: 0, .. })
                    )
                });
            let after = (contents(&looker).await, checkpoint_ids(&looker, "board").await);
            rule("Nothing was written.").picture(&picture).same(after, before.clone());
        }
    });
}

#[test]
fn a_damaged_checkpoint_stops_the_job_until_somebody_decides() {
    first_in_memory();
    with_rig(async |rig| {
        let topic = rig.kafka.create_topic("flights", 1).await;
        put(&rig.kafka, &topic, &out_of_order(40)).await;
        let config = job_config(rig, &topic, machine(&rig.database, "damaged").await);
        rule("A job comes to its end.").succeeds(to_the_end(&config).await);
        let looker = connect(&config.database).await;
        let expected = contents(&looker).await;
        let newest = checkpoint_ids(&looker, "board").await.last().copied().unwrap_or_default();
        let flip = "UPDATE checkpoints SET body = set_byte(body, 100, 0) WHERE id = $1";
        looker.execute(flip, &[&newest]).await.expect("the row can be changed");
        rule("A job with a damaged checkpoint does not begin, neither there nor anew.").refuses(
            to_the_end(&config).await,
            "Unreadable",
            |error| {
                let good = Some(newest.unsigned_abs() - 1);
                matches!(error, JobError::Recovery(RecoveryError::Unreadable { previous_good, .. })
                    if *previous_good == good)
            },
        );
        let begin = Begin::Checkpoint(Which::Id(newest.unsigned_abs() - 1));
        let decided = to_the_end(&JobConfig { begin, ..config }).await;
        let ended = rule("Who has decided can go on from the one before.").succeeds(decided);
        rule("Numbers go on behind the damaged one.")
            .same(ended.checkpoint.id > newest.unsigned_abs(), true);
        rule("In one partition the same records come in the same order: the tables are the same.")
            .ask("What was read behind the checkpoint before is read once more. Which rows does that change?")
            .same_lines(&contents(&looker).await, &expected);
    });
}

#[test]
fn a_topic_that_is_another_one_is_refused_before_a_record_is_read() {
    first_in_memory();
    with_rig(async |rig| {
        let topic = rig.kafka.create_topic("flights", 1).await;
        let other = rig.kafka.create_topic("other", 1).await;
        put(&rig.kafka, &topic, &out_of_order(10)).await;
        put(&rig.kafka, &other, &out_of_order(10)).await;
        let config = job_config(rig, &topic, machine(&rig.database, "other_topic").await);
        rule("A job comes to its end.").succeeds(to_the_end(&config).await);
        let looker = connect(&config.database).await;
        let before = contents(&looker).await;
        let ids = checkpoint_ids(&looker, "board").await;
        rule("A job on another topic than its checkpoint's does not begin.").refuses(
            to_the_end(&JobConfig { topic: other, ..config }).await,
            "OtherTopic",
            |error| matches!(error, JobError::Recovery(RecoveryError::OtherTopic { .. })),
        );
        let question = "What is written before the names of the two topics are compared?";
        rule("No row was written.").ask(question).same_lines(&contents(&looker).await, &before);
        rule("No checkpoint was written.")
            .ask(question)
            .same(checkpoint_ids(&looker, "board").await, ids);
    });
}
