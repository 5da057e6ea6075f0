//! Step 6, further: two instances of one job, of which one only seemed dead.
//!
//! Invariants:
//! 1. Each start has an epoch of its own, however many start at once.
//! 2. An instance that is not the newest writes nothing, from the moment at which the newer one has
//!    its epoch.
//! 3. Between the look at the epoch and the commit no newer instance gets one.

use lab06::fencing::{Epoch, FencingError, check, claim};
use lab06::job::{Ended, Job, JobConfig, JobError, run};
use lab06::store::{
    Output, StoreError, UnreadableRecord, Writer, commit, empty, ensure_tables, write,
};
use lab06::turn::turn;
use testkit::{TestDatabase, rule, with_database, with_rig};
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

use super::at_hand::{TOPIC, read_to, record};
use super::at_hand_job::{BOUND, checkpoint_ids, connect, contents, job_config, machine, put};

async fn tables(database: &TestDatabase) -> Client {
    let client = database.connect().await;
    ensure_tables(&client).await.expect("the tables can be made");
    client
}

fn writer(epoch: Epoch) -> Writer {
    Writer { job: "board".to_owned(), epoch: Some(epoch) }
}

/// Takes an epoch, which must come within the bound.
async fn claimed(client: &Client, job: &str) -> Epoch {
    let claim = claim(client, job);
    let epoch = rule("An epoch can be claimed.").within(BOUND, claim).await;
    rule("An epoch can be claimed.").succeeds(epoch)
}

fn output() -> Output {
    let unreadable =
        vec![UnreadableRecord { partition: 0, offset: 41, reason: "no JSON".to_owned() }];
    Output { unreadable, ..Output::default() }
}

#[test]
fn each_start_of_a_job_has_the_next_epoch() {
    with_database(async |database| {
        let client = tables(database).await;
        for expected in [1, 2, 3] {
            rule("The first epoch of a job is 1, and each start has the next one.")
                .same(claimed(&client, "board").await, Epoch(expected));
        }
        rule("Another job counts its own starts.").same(claimed(&client, "other").await, Epoch(1));
        rule("Another job's start is none of this one.")
            .same(claimed(&client, "board").await, Epoch(4));
    });
}

#[test]
fn of_many_who_start_at_once_each_has_an_epoch_of_its_own() {
    with_database(async |database| {
        tables(database).await;
        let mut clients = Vec::new();
        for _ in 0..8 {
            clients.push(database.connect().await);
        }
        for round in 0..5 {
            let claims = clients.iter().map(|client| claim(client, "board"));
            let claims = futures::future::join_all(claims);
            let epochs = rule("Epochs can be claimed at once.").within(BOUND, claims).await;
            let mut epochs: Vec<i64> = epochs
                .into_iter()
                .map(|epoch| rule("A claim beside others succeeds.")
                    .ask("Two ask at once for the first epoch of all. What does the second find when it wants to write it?")
                    .succeeds(epoch).0)
                .collect();
            epochs.sort_unstable();
            let expected: Vec<i64> = (round * 8 + 1..=round * 8 + 8).collect();
            rule("Of many who start at once each has an epoch of its own.")
                .picture("eight connections claim an epoch at the same moment")
                .ask("Between a look at the largest number and the next step, somebody else may look.")
                .holds(epochs == expected, "the same epoch for two of them");
        }
    });
}

#[test]
fn an_instance_that_is_not_the_newest_writes_nothing() {
    with_database(async |database| {
        let (zombie, newer) = (tables(database).await, database.connect().await);
        let old = claimed(&zombie, "board").await;
        let written = write(&zombie, &writer(old), &output(), &read_to(1, TOPIC, 50)).await;
        rule("The newest instance may write.").succeeds(written);
        rule("What is written can be committed.").succeeds(commit(&zombie).await);
        let before = contents(&newer).await;
        let new = claimed(&newer, "board").await;
        rule("From the next start on, the earlier instance writes nothing, and hears why.")
            .picture("epoch 1 writes checkpoint 1 · epoch 2 starts and has written nothing yet · epoch 1 wants to write checkpoint 2")
            .ask("The earlier one was the newest when it started. When must it look again? `write_all` of step 2 writes; what does yours ask first?")
            .refuses(
                write(&zombie, &writer(old), &output(), &read_to(2, TOPIC, 60)).await,
                "Fenced",
                |error| {
                    matches!(error, StoreError::Fenced(FencingError::Fenced { .. }))
                        && error.to_string()
                            == "job `board` was started again: this instance has epoch 1, the \
                                newest is 2; it stops"
                },
            );
        rule("Nothing of it is there.").same(
            (contents(&newer).await, checkpoint_ids(&newer, "board").await),
            (before, vec![1]),
        );
        let written = write(&newer, &writer(new), &output(), &read_to(2, TOPIC, 60)).await;
        rule("The newer instance may write.").succeeds(written);
        rule("What is written can be committed.").succeeds(commit(&newer).await);
    });
}

#[test]
fn an_instance_that_is_not_the_newest_empties_nothing() {
    with_database(async |database| {
        let (zombie, newer) = (tables(database).await, database.connect().await);
        let old = claimed(&zombie, "board").await;
        let new = claimed(&newer, "board").await;
        let written = write(&newer, &writer(new), &output(), &read_to(1, TOPIC, 50)).await;
        rule("The newest instance may write.").succeeds(written);
        rule("What is written can be committed.").succeeds(commit(&newer).await);
        let before = (contents(&newer).await, checkpoint_ids(&newer, "board").await);
        rule("An instance that is not the newest empties nothing.")
            .picture("epoch 1 claims, and falls asleep · epoch 2 claims, and counts · epoch 1 wakes up, and empties the tables to begin")
            .ask("`empty` of store.rs is given. What does your `check` say to epoch 1?")
            .refuses(empty(&zombie, &writer(old)).await, "Fenced", |error| {
                matches!(error, StoreError::Fenced(FencingError::Fenced { .. }))
            });
        let after = (contents(&newer).await, checkpoint_ids(&newer, "board").await);
        rule("What the newest instance has written is there.").same(after, before);
        rule("The newest instance may empty.").succeeds(empty(&newer, &writer(new)).await);
        let emptied = (contents(&newer).await, checkpoint_ids(&newer, "board").await);
        rule("Then nothing is there.").same(emptied, (String::new(), vec![]));
        rule("Its epoch is still the newest.").succeeds(check(&newer, "board", new).await);
    });
}

#[test]
fn a_database_that_refuses_the_look_is_no_newer_instance() {
    with_database(async |database| {
        let client = tables(database).await;
        let epoch = claimed(&client, "board").await;
        client.batch_execute("DROP TABLE job_epochs").await.expect("it is there");
        rule("Only a newer instance fences. A database that refuses the look has not written.")
            .ask("`check` has failed. As what does `write_all` (store.rs) pass that on: should somebody look for a second instance, or after the database?")
            .refuses(
                write(&client, &writer(epoch), &output(), &read_to(1, TOPIC, 50)).await,
                "NotWritten, checkpoint 1",
                |error| matches!(error, StoreError::NotWritten { id: 1, .. }),
            );
    });
}

#[test]
fn an_epoch_that_was_never_given_out_may_not_write_either() {
    with_database(async |database| {
        let client = tables(database).await;
        claimed(&client, "board").await;
        rule("Only the newest epoch may write: one from the future was made up.")
            .ask("Is it enough not to be older?")
            .refuses(check(&client, "board", Epoch(9)).await, "Fenced", |error| {
                matches!(error, FencingError::Fenced { ours: Epoch(9), newest: Epoch(1), .. })
            });
    });
}

#[test]
fn whoever_wants_the_next_epoch_waits_for_a_transaction_that_has_looked() {
    with_database(async |database| {
        let (zombie, looker) = (tables(database).await, database.connect().await);
        let old = claimed(&zombie, "board").await;
        let written = write(&zombie, &writer(old), &output(), &read_to(1, TOPIC, 50)).await;
        rule("The newest instance may write.").succeeds(written);
        // It has looked and written, and falls asleep before its commit.
        let newer = database.connect().await;
        let mut claims = std::pin::pin!(claim(&newer, "board"));
        let waiting = async {
            let looks =
                database.until_somebody_waits_for_a_lock(BOUND, "a claim that waits for a lock");
            tokio::select! {
                biased;
                epoch = &mut claims => Some(epoch),
                () = looks => None,
            }
        };
        let early = waiting.await;
        rule("Between the look at the epoch and the commit nobody gets the next one.")
            .picture("epoch 1: look · write ·           (asleep)            · commit\nepoch 2:                 claims · reads the last checkpoint · …")
            .ask("The look was true when it was made. If epoch 2 starts now and reads the last checkpoint, what does the commit of epoch 1 still add behind its back?")
            .holds(early.is_none(), "the next epoch, before the transaction has ended");
        rule("What is written can be committed.").succeeds(commit(&zombie).await);
        let epoch = rule("The claim comes through.").within(BOUND, claims).await;
        let epoch =
            rule("When the transaction has ended, the next epoch is given out.").succeeds(epoch);
        rule("When the transaction has ended, the next epoch is given out.").same(epoch, Epoch(2));
        rule("What the newer instance goes on from is there.")
            .same(checkpoint_ids(&looker, "board").await, vec![1]);
    });
}

async fn to_the_end(config: &JobConfig) -> Result<Ended, JobError> {
    let stop = CancellationToken::new();
    let (mut progress, mut watch) = (|_: &_| {}, |_| {});
    let run = run(config, &stop, &mut progress, &mut watch);
    rule("A job that reads to the end of a topic ends.").within(BOUND, run).await
}

#[test]
fn a_job_that_only_seemed_dead_stops_with_a_sentence() {
    with_rig(async |rig| {
        let database = machine(&rig.database, "fenced").await;
        let client = connect(&database).await;
        ensure_tables(&client).await.expect("the tables can be made");
        let old = claimed(&client, "board").await;
        let topic = rig.kafka.create_topic("flights", 1).await;
        let records: Vec<_> =
            (0..20).map(|minute| record(0, 0, "EWR", &format!("06:{minute:02}"), 0)).collect();
        put(&rig.kafka, &topic, &records).await;
        let config = JobConfig { epoch: Some(old), ..job_config(rig, &topic, database) };
        let mut silent = |_| {};
        let opened = Job::open(&config, &CancellationToken::new(), &mut silent).await;
        let mut zombie = rule("A job opens.").succeeds(opened);
        // The newer one has started, and has not come to its first checkpoint.
        let new = claimed(&client, "board").await;
        let stopped = async {
            loop {
                turn(&mut zombie).await?;
            }
        };
        let result: Result<(), JobError> = rule("The earlier one stops.")
            .picture(
                "epoch 1 is at work; epoch 2 has started, and epoch 1 comes to its next checkpoint",
            )
            .ask("`write_all` of step 2 writes it. What does yours ask first?")
            .within(BOUND, stopped)
            .await;
        rule("A job that only seemed dead stops at its next write, with a sentence.").refuses(
            result,
            "Fenced",
            |error| matches!(error, JobError::Store(StoreError::Fenced(_))),
        );
        let ended = to_the_end(&JobConfig { epoch: Some(new), ..config }).await;
        let ended = rule("The newer job comes to its end.").succeeds(ended);
        rule("It has read everything, and everything is there once.").same(
            (ended.progress.read, contents(&client).await.as_str()),
            (20, "06:00 EWR 20 0 0 0 revision 1"),
        );
    });
}
