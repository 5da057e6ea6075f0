//! Step 2: results, dropped records, dead letters, state and offsets in one transaction.
//!
//! Invariants:
//! 1. Before the commit nothing can be seen; after it, everything.
//! 2. Where one part fails, nothing of the others is there, and the connection can go on.
//! 3. Of a job the newest three checkpoints are kept; those of other jobs are left alone.
//! 4. After a commit without an answer, nobody says that it has happened, nor that it has not.

use std::any::Any;
use std::panic::{AssertUnwindSafe, resume_unwind};

use futures::FutureExt;
use lab05::board::DroppedRecord;
use lab05::delays::Delays;
use lab05::dropped::DropReason;
use lab05::firing::WindowResult;
use lab05::window::Window;
use lab06::checkpoint::encode;
use lab06::fencing::Epoch;
use lab06::state::Checkpoint;
use lab06::store::{
    KEPT_CHECKPOINTS, Output, StoreError, UnreadableRecord, Writer, commit, ensure_tables, stored,
    write,
};
use testkit::{TestDatabase, rule, with_database};
use tokio_postgres::Client;

use super::at_hand::{TOPIC, at, read_to};
use super::at_hand_job::{BOUND, checkpoint_ids, contents};

/// Something for each table: a result, a dropped record, a record that is no flight.
fn output() -> Output {
    let window = Window { start_ms: at("06:00"), end_ms: at("07:00") };
    let delays = Delays { count: 2, sum_min: 20, worst_min: Some(16), over_15_min: 1 };
    let reason =
        DropReason::WindowGone { timestamp_ms: at("05:10"), window, watermark_ms: at("07:40") };
    Output {
        results: vec![WindowResult { window, key: "EWR".to_owned(), delays, revision: 1 }],
        dropped: vec![DroppedRecord { partition: 0, offset: 41, reason }],
        unreadable: vec![UnreadableRecord {
            partition: 0,
            offset: 42,
            reason: "no JSON: \0".to_owned(),
        }],
    }
}

const ALL_ROWS: &str = "06:00 EWR 2 20 16 1 revision 1\ndropped 0 41 window_gone\nno flight 0 42";

fn writer(job: &str) -> Writer {
    Writer { job: job.to_owned(), epoch: None }
}

/// A connection to a database with all tables.
async fn tables(database: &TestDatabase) -> Client {
    let client = database.connect().await;
    ensure_tables(&client).await.expect("the tables can be made");
    client
}

/// What somebody else sees: rows and numbers of checkpoints.
async fn seen(looker: &Client) -> (String, Vec<i64>) {
    (contents(looker).await, checkpoint_ids(looker, "board").await)
}

/// Writes and commits checkpoint `id` with nothing beside it.
async fn checkpoint_of(client: &Client, job: &str, id: u64) {
    let written = write(client, &writer(job), &Output::default(), &read_to(id, TOPIC, 50)).await;
    rule("A checkpoint can be written.").succeeds(written);
    rule("What is written can be committed.").succeeds(commit(client).await);
}

#[test]
fn nothing_is_seen_before_the_commit_and_everything_after_it() {
    with_database(async |database| {
        let (client, looker) = (tables(database).await, database.connect().await);
        let checkpoint = read_to(7, TOPIC, 43);
        let written = write(&client, &writer("board"), &output(), &checkpoint).await;
        rule("Output and checkpoint can be written.").succeeds(written);
        let question = "If the machine stops right here, the job goes on from the checkpoint before. What is in the tables then?";
        rule("Before the commit nobody sees anything of it.")
            .ask(question)
            .same(seen(&looker).await, (String::new(), vec![]));
        rule("What is written can be committed.").succeeds(commit(&client).await);
        rule("After the commit all of it is there.")
            .same(seen(&looker).await, (ALL_ROWS.to_owned(), vec![7]));
        let kept = stored(&looker, "board").await.expect("the table can be read");
        rule("The checkpoint is kept as the bytes of step 1.")
            .same(kept, vec![(7, encode(&checkpoint))]);
    });
}

const TABLES: [&str; 4] =
    ["processed_events_aggregated", "dropped_records", "dead_letters", "checkpoints"];

#[test]
fn a_part_that_fails_leaves_nothing_of_the_others() {
    with_database(async |database| {
        let (client, looker) = (tables(database).await, database.connect().await);
        for broken in TABLES {
            let empty = format!("TRUNCATE {}", TABLES.join(", "));
            looker.batch_execute(&empty).await.expect("the tables can be emptied");
            // It is there, and refuses every row.
            let refuse = format!("ALTER TABLE {broken} ADD CONSTRAINT full_up CHECK (false)");
            looker.batch_execute(&refuse).await.expect("the table can be changed");
            nothing_of_it(&client, &looker, broken).await;
        }
    });
}

/// Writes while a table takes no row, and once more when it does again.
async fn nothing_of_it(client: &Client, looker: &Client, broken: &str) {
    let picture = format!("table {broken} takes no row");
    let written = write(client, &writer("board"), &output(), &read_to(7, TOPIC, 43)).await;
    let error = written.err().map_or("none".to_owned(), |error| error.to_string());
    rule("A part that the database refuses is an error, in the database's own words.")
        .picture(&picture)
        .holds(error.contains("full_up"), error);
    rule("Where one part fails, nothing of the others is there.")
        .picture(&picture)
        .ask("Which of the four parts stand between BEGIN and COMMIT?")
        .same(seen(looker).await, (String::new(), vec![]));
    let again = write(client, &writer("board"), &Output::default(), &read_to(7, TOPIC, 43)).await;
    let refused = again.err().map_or("none".to_owned(), |error| error.to_string());
    rule("After a failed write the connection can take the next one.")
        .picture(&picture)
        .ask("The statement has failed. Has the transaction ended by that?")
        .holds(!refused.contains("current transaction is aborted"), refused);
    let _ = client.batch_execute("ROLLBACK").await;
    let mend = format!("ALTER TABLE {broken} DROP CONSTRAINT full_up");
    looker.batch_execute(&mend).await.expect("the table can be changed");
    let again = write(client, &writer("board"), &output(), &read_to(7, TOPIC, 43)).await;
    rule("When the table takes rows again, all can be written.").succeeds(again);
    rule("What is written can be committed.").succeeds(commit(client).await);
    rule("The next write is there in full.")
        .same(seen(looker).await, (ALL_ROWS.to_owned(), vec![7]));
}

#[test]
fn of_a_job_the_newest_three_checkpoints_are_kept() {
    with_database(async |database| {
        let client = tables(database).await;
        checkpoint_of(&client, "other", 1).await;
        for id in 1..=5 {
            checkpoint_of(&client, "board", id).await;
        }
        rule(format!("Of a job's checkpoints the newest {KEPT_CHECKPOINTS} are kept."))
            .picture("job board has made 1, 2, 3, 4, 5")
            .ask("Two too few, and a damaged one is the end; one too many, and the table grows for ever.")
            .same(checkpoint_ids(&client, "board").await, vec![3, 4, 5]);
        rule("The checkpoints of another job are left alone.")
            .picture("job other has made 1; then job board has made 1, 2, 3, 4, 5")
            .ask("Whose checkpoints does the statement delete?")
            .same(checkpoint_ids(&client, "other").await, vec![1]);
        // Who goes back to an older checkpoint deletes those behind it, and leaves a gap.
        checkpoint_of(&client, "board", 9).await;
        rule(format!("The newest {KEPT_CHECKPOINTS} stay, whatever their numbers are."))
            .picture("job board has made 1, 2, 3, 4, 5 and then 9")
            .ask("How many checkpoints are left, and is the one before the newest among them?")
            .same(checkpoint_ids(&client, "board").await, vec![4, 5, 9]);
    });
}

#[test]
fn a_checkpoint_is_never_replaced() {
    with_database(async |database| {
        let (client, looker) = (tables(database).await, database.connect().await);
        for id in 4..=7 {
            checkpoint_of(&client, "board", id).await;
        }
        let before = stored(&looker, "board").await.expect("the table can be read");
        let other: Checkpoint = read_to(7, TOPIC, 99);
        rule("A number that is taken was taken by another instance of the job: one of the two stops.")
            .ask("Both have read from the same place. If both write, which records are counted twice?")
            .refuses(
                write(&client, &writer("board"), &output(), &other).await,
                "AlreadyThere",
                |error| {
                    matches!(error, StoreError::AlreadyThere { .. })
                        && error.to_string()
                            == "job `board` has checkpoint 7 or a later one already: another \
                                instance of this name is at work"
                },
            );
        let behind: Checkpoint = read_to(2, TOPIC, 20);
        rule("An instance that is far behind stops too: its own number was deleted long ago.")
            .picture("checkpoints 5, 6, 7 are there; one that has slept writes checkpoint 2")
            .ask("No row has its number. By which of the numbers that are there does it find out?")
            .refuses(
                write(&client, &writer("board"), &output(), &behind).await,
                "AlreadyThere",
                |error| matches!(error, StoreError::AlreadyThere { id: 2, .. }),
            );
        let after = stored(&looker, "board").await.expect("the table can be read");
        rule("Nothing of the second one is there.")
            .ask("Its results were sent before its checkpoint was refused. What takes them back?")
            .same((contents(&looker).await, after), (String::new(), before));
    });
}

#[test]
fn of_two_that_write_one_number_at_once_the_second_hears_of_the_first() {
    with_database(async |database| {
        let (first, second) = (tables(database).await, database.connect().await);
        let (board, nothing, seven) = (writer("board"), Output::default(), read_to(7, TOPIC, 50));
        let written = write(&first, &board, &nothing, &seven).await;
        rule("A checkpoint can be written.").succeeds(written);
        let commits = async {
            database
                .until_somebody_waits_for_a_lock(BOUND, "the second to wait for the first")
                .await;
            commit(&first).await
        };
        let (written, committed) = tokio::join!(write(&second, &board, &nothing, &seven), commits);
        rule("What is written can be committed.").succeeds(committed);
        rule("Of two that write one number at once, the second hears of the first.")
            .picture("first:   writes 7 ·               · commit\nsecond:              writes 7 ·    waits    · …")
            .ask("While the second looked, nobody could see the row of the first. What does its INSERT meet in the end?")
            .refuses(written, "AlreadyThere", |error| {
                matches!(error, StoreError::AlreadyThere { id: 7, .. })
            });
    });
}

#[test]
fn what_is_written_again_after_a_step_back_does_no_harm() {
    with_database(async |database| {
        let client = tables(database).await;
        for id in [7, 8] {
            let written =
                write(&client, &writer("board"), &output(), &read_to(id, TOPIC, 43)).await;
            rule("A job that went one checkpoint back reads the same records again.")
                .ask("A dead letter that is there already: is that a fault, or what was wanted?")
                .succeeds(written);
            rule("What is written can be committed.").succeeds(commit(&client).await);
        }
        rule("The rows are there once.")
            .same(seen(&client).await, (ALL_ROWS.to_owned(), vec![7, 8]));
    });
}

#[test]
fn a_commit_without_an_answer_is_called_that() {
    with_database(async |database| {
        let (client, looker) = (tables(database).await, database.connect().await);
        let pid: i32 =
            client.query_one("SELECT pg_backend_pid()", &[]).await.expect("it has one").get(0);
        let written = write(&client, &writer("board"), &output(), &read_to(7, TOPIC, 43)).await;
        rule("Output and checkpoint can be written.").succeeds(written);
        looker
            .execute("SELECT pg_terminate_backend($1, 10000)", &[&pid])
            .await
            .expect("the server ends a connection");
        rule("A commit without an answer may have happened or not, and is called that.")
            .picture("BEGIN, four parts, and then the connection ends, somewhere round the COMMIT")
            .ask("Had the server read the COMMIT when the connection ended? What can this side know?")
            .refuses(commit(&client).await, "Unanswered", |error| {
                matches!(error, StoreError::Unanswered(_))
            });
        rule("Here it had not happened: nothing is there.")
            .same(seen(&looker).await, (String::new(), vec![]));
    });
}

#[test]
fn a_connection_that_is_gone_has_written_nothing() {
    with_database(async |database| {
        let (client, looker) = (tables(database).await, database.connect().await);
        let pid: i32 =
            client.query_one("SELECT pg_backend_pid()", &[]).await.expect("it has one").get(0);
        looker
            .execute("SELECT pg_terminate_backend($1, 10000)", &[&pid])
            .await
            .expect("the server ends a connection");
        let written = write(&client, &writer("board"), &output(), &read_to(7, TOPIC, 43)).await;
        rule("Where the connection was gone before, nothing is written, and that is known.")
            .refuses(written, "NotWritten, checkpoint 7", |error| {
                matches!(error, StoreError::NotWritten { id: 7, .. })
            });
        rule("Nothing is there.").same(seen(&looker).await, (String::new(), vec![]));
    });
}

/// Whether this panic is the hole of step 6.
fn is_the_hole_of_step_6(panic: &(dyn Any + Send)) -> bool {
    let message = panic.downcast_ref::<String>();
    message.is_some_and(|message| message.starts_with("not yet implemented: step 6"))
}

#[test]
fn a_writer_that_has_an_epoch_is_looked_at() {
    with_database(async |database| {
        let client = tables(database).await;
        checkpoint_of(&client, "board", 1).await;
        let newest = "INSERT INTO job_epochs (job, epoch) VALUES ('board', 2)";
        client.batch_execute(newest).await.expect("the table is there");
        let old = Writer { epoch: Some(Epoch(1)), ..writer("board") };
        let (output, checkpoint) = (output(), read_to(2, TOPIC, 60));
        let write = write(&client, &old, &output, &checkpoint);
        let refused = match AssertUnwindSafe(write).catch_unwind().await {
            Ok(written) => written.is_err(),
            // Who runs into the hole has asked.
            Err(panic) if is_the_hole_of_step_6(&*panic) => true,
            Err(panic) => resume_unwind(panic),
        };
        rule("A writer that has an epoch is looked at, by `check`, before anything is committed.")
            .picture("the newest epoch of job board is 2; an instance with epoch 1 writes checkpoint 2")
            .ask("`check` is a hole until step 6, and whoever runs into it has asked. Does your `write_all` ask, where a writer has an epoch?")
            .holds(refused, "the checkpoint of an instance that is not the newest");
    });
}
