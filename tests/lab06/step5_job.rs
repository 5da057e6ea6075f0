//! Step 5: a job that stops with a savepoint, and goes on from it on another machine.

use std::cell::Cell;

use lab06::checkpoint::encode;
use lab06::crash::Effect;
use lab06::job::{Begin, Ended, JobConfig, JobError, run};
use lab06::recovery::RecoveryError;
use lab06::savepoint::{load, save};
use lab06::state::Checkpoint;
use testkit::{rule, with_rig};
use tokio_util::sync::CancellationToken;

use super::at_hand::record;
use super::at_hand_job::{BOUND, connect, contents, job_config, machine, put};

/// Records of four hours in order, ten minutes apart, from three airports.
fn in_order() -> Vec<lab06::turn::Record> {
    let minute = |index: i32| format!("{:02}:{:02}", 6 + index / 6, index % 6 * 10);
    let origin = |index: i32| ["EWR", "JFK", "LGA"][index as usize % 3];
    (0..24).map(|index| record(0, 0, origin(index), &minute(index), index)).collect()
}

/// Runs a job to its end, or until it was told to stop behind so many records.
async fn stopped_behind(config: &JobConfig, records: Option<usize>) -> Result<Ended, JobError> {
    let (stop, taken) = (CancellationToken::new(), Cell::new(0));
    let mut watch = |effect| {
        taken.set(taken.get() + usize::from(effect == Effect::Process));
        if Some(taken.get()) == records {
            stop.cancel();
        }
    };
    let mut progress = |_: &_| {};
    let run = run(config, &stop, &mut progress, &mut watch);
    rule("The job ends.").within(BOUND, run).await
}

#[test]
fn a_job_that_stopped_with_a_savepoint_goes_on_from_it_on_another_machine() {
    let folder = tempfile::tempdir().expect("the system gives a folder");
    rule("A savepoint can be written.").succeeds(save(&folder.path().join("trial"), b"trial"));
    let path = folder.path().join("board.savepoint");
    with_rig(async |rig| {
        let records = in_order();
        let topic = rig.kafka.create_topic("flights", 1).await;
        put(&rig.kafka, &topic, &records[..14]).await;
        let here = job_config(rig, &topic, machine(&rig.database, "here").await);
        let here = JobConfig { until: lab05::input::Until::Stopped, ..here };
        let ended = stopped_behind(&here, Some(14)).await;
        let ended = rule("A job that is told to stop ends in good order.").succeeds(ended);
        let checkpoint = ended.checkpoint;
        rule("A stop fires nothing; its checkpoint stands behind what was read.")
            .same((checkpoint.finished, checkpoint.partitions[0].next_offset), (false, 14));
        rule("A savepoint can be written.").succeeds(save(&path, &encode(&checkpoint)));
        put(&rig.kafka, &topic, &records[14..]).await;

        let loaded = rule("A savepoint can be loaded.").succeeds(load(&path));
        let there = JobConfig {
            begin: Begin::Savepoint(Box::new(loaded.checkpoint)),
            ..job_config(rig, &topic, machine(&rig.database, "there").await)
        };
        let ended = stopped_behind(&there, None).await;
        let ended =
            rule("A job can begin with a savepoint, on a machine without tables.").succeeds(ended);
        rule("It reads what was not read.").same(ended.progress.read, 10);

        let alone = job_config(rig, &topic, machine(&rig.database, "alone").await);
        rule("A job comes to its end.").succeeds(stopped_behind(&alone, None).await);
        let rows = [
            contents(&connect(&here.database).await).await,
            contents(&connect(&there.database).await).await,
        ];
        let mut rows: Vec<&str> = rows.iter().flat_map(|rows| rows.lines()).collect();
        rows.sort_unstable();
        rule(
            "What both machines have written together is what one job alone writes, each row once.",
        )
        .picture("14 records, stop, savepoint; 10 more records; a job elsewhere goes on")
        .ask("Which windows were open at the stop, and with which of their flights?")
        .same_lines(&rows.join("\n"), &contents(&connect(&alone.database).await).await);

        let other = rig.kafka.create_topic("other", 1).await;
        put(&rig.kafka, &other, &records).await;
        let wrong = JobConfig { topic: other, ..there };
        rule("A savepoint of another topic is refused: offsets mean nothing there.").refuses(
            stopped_behind(&wrong, None).await,
            "OtherTopic",
            |error| matches!(error, JobError::Recovery(RecoveryError::OtherTopic { .. })),
        );
    });
}

#[test]
fn a_savepoint_of_a_finished_job_brings_its_results_to_another_machine() {
    let folder = tempfile::tempdir().expect("the system gives a folder");
    let path = folder.path().join("finished.savepoint");
    rule("A savepoint can be written.").succeeds(save(&folder.path().join("trial"), b"trial"));
    with_rig(async |rig| {
        let topic = rig.kafka.create_topic("flights", 1).await;
        put(&rig.kafka, &topic, &in_order()).await;
        let here = job_config(rig, &topic, machine(&rig.database, "here").await);
        let ended = rule("A job comes to its end.").succeeds(stopped_behind(&here, None).await);
        let checkpoint = ended.checkpoint;
        rule("Its last checkpoint is marked.").same(checkpoint.finished, true);
        rule("A savepoint can be written.").succeeds(save(&path, &encode(&checkpoint)));

        let loaded = rule("A savepoint can be loaded.").succeeds(load(&path));
        let there = JobConfig {
            begin: Begin::Savepoint(Box::new(loaded.checkpoint)),
            ..job_config(rig, &topic, machine(&rig.database, "there").await)
        };
        let last = Checkpoint { id: u64::MAX, ..checkpoint };
        let after_it = JobConfig { begin: Begin::Savepoint(Box::new(last)), ..there.clone() };
        rule("A number that no other can follow is refused.").refuses(
            stopped_behind(&after_it, None).await,
            "Contradiction",
            |error| matches!(error, JobError::Contradiction { .. }),
        );
        rule("It comes to its end once more.").succeeds(stopped_behind(&there, None).await);
        let client = connect(&there.database).await;
        let questions = [
            "SELECT count(*) FROM processed_events_aggregated",
            "SELECT count(*) FROM checkpoints",
        ];
        let mut found = Vec::new();
        for question in questions {
            let row = client.query_one(question, &[]).await.expect("the tables are there");
            found.push(row.get::<_, i64>(0));
        }
        rule("The windows that only the end fires, and a checkpoint, are in the tables there too.")
            .ask("The first machine's tables are not here. Which of its rows has nobody written?")
            .same((found[0] > 0, found[1] > 0), (true, true));
    });
}
