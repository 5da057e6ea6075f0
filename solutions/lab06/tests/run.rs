//! `cargo run -p lab06`: what the program does and says. Each test has a job of its own name, and so
//! tables of its own.

mod program;

use std::fs;
use std::path::Path;

use flights::replay::arrival_order;
use flights::weeks::Week;
use lab01::publish::publish;
use lab01::topic::{Retention, TopicSpec, ready_topic};
use lab06_solution::checkpoint::decode;
use program::{
    CHECKPOINTS, ROWS, number, program, refused, remove, said, start, text, until_at_least,
};
use rig::Rig;
use testkit::program::Ended;
use tokio::runtime::Runtime;

/// A topic of the program's own, without the rest of its arguments.
const STORM: [&str; 2] = ["--partitions", "1"];

/// So that the only checkpoint is that of the end, however slow the machine.
const SELDOM: &str = "3600";

fn with<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    STORM.into_iter().chain(arguments.iter().copied()).collect()
}

#[test]
fn a_week_is_counted_and_only_a_run_that_goes_on_keeps_what_is_there() {
    let job = "lab06_run_week";
    for _ in 0..2 {
        let said = said(&with(&["--job", job, "--checkpoint-every", SELDOM]));
        for line in [
            "Checkpoint 1: 5173 records read, 5173 of them by this run, 1070 of them late:",
            "     4675 in 331 rows of lab06_run_week.processed_events_aggregated, 0 of them corrected",
            "      498 in lab06_run_week.dropped_records: window_gone",
            "        0 in windows that have not fired",
        ] {
            assert!(said.contains(line), "{line}\n{said}");
        }
    }
    let on = said(&with(&["--job", job, "--resume"]));
    let line = "Checkpoint 1: 5173 records read, 0 of them by this run, 1070 of them late:";
    assert!(on.contains(line), "{on}");
    let epoch = "SELECT epoch FROM job_epochs";
    let before = number(job, epoch);
    let other = refused(&["--week", "calm", "--job", job, "--resume"], 1);
    assert!(other.contains("offsets mean nothing on `lab06-solution.calm`"), "{other}");
    let none = refused(&with(&["--job", job, "--checkpoint", "77"]), 1);
    assert!(none.ends_with("error: job `lab06_run_week` has no checkpoint 77"), "{none}");
    assert_eq!(number(job, epoch), before, "a start that is refused fences nobody off");
    let anew = said(&["--week", "calm", "--job", job, "--lateness", "60"]);
    assert!(anew.contains("6292 records read, 6292 of them by this run"), "{anew}");
}

#[test]
fn ctrl_c_makes_a_checkpoint_and_a_savepoint_and_another_run_goes_on_from_either() {
    let job = "lab06_run_stop";
    let folder = tempfile::tempdir().expect("the system gives a folder");
    let path = folder.path().join("board.savepoint");
    let file = path.to_str().expect("it is text");
    let at_work = start(&with(&["--job", job, "--follow", "--savepoint", file]));
    until_at_least(job, CHECKPOINTS, 1);
    at_work.interrupt();
    let Ended { status, said: stopped, shown } = at_work.end();
    assert!(status.success(), "{stopped}{shown}");
    assert!(stopped.contains(&format!("savepoint {file}: checkpoint ")), "{stopped}");
    assert!(!stopped.contains("        0 in windows that have not fired"), "{stopped}");
    let before = number(job, ROWS);
    assert!(before < 4_675, "a stop fires nothing, found {before} counted flights");

    let there = refused(&with(&["--job", job, "--savepoint", file]), 1);
    assert!(there.ends_with("there is a file of this name already"), "{there}");
    assert_eq!(number(job, ROWS), before, "a run that is refused empties nothing");

    let on = said(&with(&["--job", job, "--resume"]));
    assert!(on.contains("     4675 in 331 rows of "), "{on}");
    let elsewhere = "lab06_run_elsewhere";
    assert!(said(&with(&["--job", elsewhere])).contains("4675 in 331 rows"));
    let there = said(&with(&["--job", elsewhere, "--from-savepoint", file]));
    assert!(there.contains("     4675 in 331 rows of "), "{there}");
}

#[test]
fn a_run_that_goes_back_says_what_it_has_taken_back() {
    let job = "lab06_run_back";
    said(&with(&["--job", job, "--checkpoint-every", SELDOM]));
    // The only checkpoint is that of the end, which has fired the last hour of three airports.
    let back = program(&with(&["--job", job, "--checkpoint", "1"]));
    let (said, shown) = (text(&back.stdout), text(&back.stderr));
    assert!(said.contains("     4675 in 331 rows of "), "{said}{shown}");
    let expected = "taken back: 3 rows of processed_events_aggregated (0 written again as they were \
                    then), 0 of dropped_records, 0 of dead_letters\n";
    assert!(shown.contains(expected), "{shown}");
}

#[test]
fn ctrl_c_before_the_first_record_makes_a_savepoint_of_the_beginning() {
    let job = "lab06_run_nothing_read";
    let rig = Rig::up().expect("the rig is up");
    let (kafka, runtime) = (rig.kafka(), Runtime::new().expect("the system gives a runtime"));
    let topic = format!("{}lab06-solution.nothing-{}", rig.prefix(), std::process::id());
    let spec = TopicSpec {
        name: topic.clone(),
        partitions: 2,
        replication: rig.replication(),
        retention: Retention::Forever,
    };
    runtime.block_on(ready_topic(&kafka, &spec)).expect("the broker makes the topic");
    let folder = tempfile::tempdir().expect("the system gives a folder");
    let path = folder.path().join("board.savepoint");
    let file = path.to_str().expect("it is text");
    let at_work = start(&["--job", job, "--topic", &topic, "--follow", "--savepoint", file]);
    at_work.interrupt();
    let Ended { status, said: said_by_it, shown } = at_work.end();
    assert!(status.success(), "{said_by_it}{shown}");
    assert!(said_by_it.contains(&format!("savepoint {file}: checkpoint 1, ")), "{said_by_it}");
    let saved = decode(&fs::read(&path).expect("it is there")).expect("it is a savepoint");
    let offsets: Vec<i64> = saved.partitions.iter().map(|saved| saved.next_offset).collect();
    assert_eq!((offsets, saved.counts.read), (vec![0, 0], 0));

    let flights = &arrival_order(Week::Calm.load().departed)[..10];
    let published = runtime.block_on(publish(&kafka, &topic, flights, &mut |_| {}));
    published.expect("the broker takes every record");
    let on = said(&["--job", job, "--topic", &topic, "--from-savepoint", file]);
    assert!(on.contains(": 10 records read, 10 of them by this run, "), "{on}");
    runtime.block_on(remove(&kafka, &topic));
}

#[test]
fn an_instance_that_only_seemed_dead_stops_with_a_sentence() {
    let job = "lab06_run_fenced";
    let arguments = with(&["--job", job, "--follow", "--checkpoint-every", "100ms"]);
    let first = start(&arguments);
    until_at_least(job, CHECKPOINTS, 1);
    let epochs = number(job, "SELECT epoch FROM job_epochs");
    let second = said(&with(&["--job", job]));
    assert!(second.contains("     4675 in 331 rows of "), "{second}");
    // The first one has nothing to write until something comes. A stop is no exception: there is
    // nothing new, so it ends well and without a further checkpoint.
    first.interrupt();
    let Ended { shown, .. } = first.end();
    assert!(!shown.contains("panicked"), "{shown}");
    assert_eq!(number(job, "SELECT epoch FROM job_epochs"), epochs + 1);
    assert_eq!(number(job, ROWS), 4_675);

    let slow = ["--job", job, "--speed", "20000x", "--checkpoint-every", "100ms"];
    let first = start(&slow);
    until_at_least(job, CHECKPOINTS, 1);
    let second = said(&with(&["--job", job]));
    assert!(second.contains("     4675 in 331 rows of "), "{second}");
    let Ended { status, shown, .. } = first.end();
    let sentence = format!(
        "error: job `{job}` was started again: this instance has epoch {}, the newest is {}; it stops\n",
        epochs + 2,
        epochs + 3
    );
    assert!(!status.success() && shown.ends_with(&sentence), "{shown}");
    assert_eq!(number(job, ROWS), 4_675, "nothing of the first instance is in the tables");
}

#[test]
fn a_replay_goes_into_a_topic_of_its_own() {
    let said = said(&["--job", "lab06_run_replay", "--speed", "1000000000"]);
    assert!(said.contains("topic lab06-solution.storm.1000000000x."), "{said}");
    assert!(said.contains(": 5173 records read, 5173 of them by this run, "), "{said}");
}

#[test]
fn a_savepoint_that_cannot_be_written_or_read_is_one_sentence_and_loses_nothing() {
    let job = "lab06_run_savepoint";
    let folder = tempfile::tempdir().expect("the system gives a folder");
    let missing = folder.path().join("missing").join("board.savepoint");
    let missing = missing.to_str().expect("it is text");
    let shown =
        refused(&with(&["--job", job, "--checkpoint-every", SELDOM, "--savepoint", missing]), 1);
    let expected = format!(
        "error: savepoint {missing}: No such file or directory (os error 2); checkpoint 1 is in the \
         database all the same"
    );
    assert!(shown.ends_with(&expected), "{shown}");
    let on = said(&with(&["--job", job, "--resume"]));
    assert!(on.contains("     4675 in 331 rows of "), "{on}");

    let path = folder.path().join("board.savepoint");
    let file = path.to_str().expect("it is text");
    said(&with(&["--job", job, "--resume", "--savepoint", file]));
    damage(&path);
    let shown = refused(&with(&["--job", job, "--from-savepoint", file]), 1);
    assert!(shown.contains(": damaged checkpoint: expected check sum "), "{shown}");
    fs::write(&path, "flights").expect("it can be written");
    let shown = refused(&with(&["--job", job, "--from-savepoint", file]), 1);
    assert!(shown.contains(": no checkpoint: expected it to begin with "), "{shown}");
}

/// Changes one letter behind the head line.
fn damage(path: &Path) {
    let saved = fs::read_to_string(path).expect("it is text");
    fs::write(path, saved.replacen("\"topic\"", "\"tepic\"", 1)).expect("it can be written");
}

#[test]
fn what_cannot_be_is_refused_in_a_sentence() {
    for (arguments, status, expected) in [
        (vec!["--bound", "-3"], 2, "-3 is not in 0..=1440"),
        (vec!["--lateness", "-1"], 2, "-1 is not in 0..=525600"),
        (vec!["--week", "summer"], 2, "summer"),
        (vec!["--partitions", "0"], 2, "0 is not in 1..=100"),
        (vec!["--checkpoint-every", "0"], 2, "expected a time such as `2`, `0.5` or `500ms`"),
        (vec!["--chaos", "--follow"], 2, "cannot be used with"),
        (vec!["--chaos", "many"], 2, "invalid digit found in string"),
        (vec!["--made", "10", "--week", "calm"], 2, "cannot be used with"),
        (vec!["--resume", "--checkpoint", "3"], 2, "cannot be used with"),
        (vec!["--from-savepoint", "/dev/null"], 1, "expected it to begin with"),
        (vec!["--job", "lab06_no_topic", "--topic", "nowhere"], 1, "`nowhere`"),
    ] {
        let shown = refused(&arguments, status);
        assert!(shown.contains(expected), "{arguments:?}: {shown}");
    }
}
