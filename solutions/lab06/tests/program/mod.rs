//! The program as a process, and what it leaves in the database.

#![allow(dead_code, reason = "each test file uses its part")]

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rig::Rig;
use runs::RunSchema;
use testkit::page::without_prefix;
use testkit::program::AtWork;
use tokio::runtime::Runtime;
use tokio_postgres::Client;

/// So long a program may take to do what is awaited, on a busy machine.
pub const BOUND: Duration = Duration::from_secs(60);

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab06-solution"));
    command.args(arguments).stdin(Stdio::null());
    command
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub fn program(arguments: &[&str]) -> Output {
    command(arguments).output().expect("the program runs")
}

/// What a run says, which has to end well, without the prefix of its names.
pub fn said(arguments: &[&str]) -> String {
    let output = program(arguments);
    let (said, shown) = (without_prefix(&text(&output.stdout)), text(&output.stderr));
    assert!(output.status.success(), "{arguments:?}: {said}{shown}");
    let widest = said.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(100), "{said}");
    said
}

/// The same, while its live line is seen: it may take minutes.
pub fn said_aloud(arguments: &[&str]) -> String {
    let output = command(arguments).stderr(Stdio::inherit()).output().expect("the program runs");
    let said = text(&output.stdout);
    assert!(output.status.success(), "{arguments:?}: {said}");
    said
}

/// What a run says on its standard error, which has to end in trouble, without the rig's lines.
pub fn refused(arguments: &[&str], status: i32) -> String {
    refused_under(&[], arguments, status)
}

/// The same for a run that is started by another program, such as a shell with a limit.
pub fn refused_under(starter: &[&str], arguments: &[&str], status: i32) -> String {
    let output = match starter {
        [] => program(arguments),
        [starter, first @ ..] => Command::new(starter)
            .args(first)
            .arg(env!("CARGO_BIN_EXE_lab06-solution"))
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap_or_else(|error| panic!("`{starter}` cannot be started: {error}")),
    };
    let shown = without_prefix(&text(&output.stderr));
    assert_eq!(output.status.code(), Some(status), "{arguments:?}: {shown}");
    assert!(!shown.contains("panicked"), "{shown}");
    let lines: Vec<&str> = shown.lines().filter(|line| !line.starts_with("rig: ")).collect();
    lines.join("\n")
}

/// Starts a run and waits until it has said its first line, which is behind its claim.
pub fn start(arguments: &[&str]) -> AtWork {
    AtWork::start(env!("CARGO_BIN_EXE_lab06-solution"), arguments)
}

/// Asks the tables of a job.
pub fn ask<T>(job: &str, question: impl AsyncFnOnce(Client) -> T) -> T {
    let rig = Rig::up().expect("the rig is up");
    let runtime = Runtime::new().expect("the system gives a runtime");
    runtime.block_on(async {
        let schema = RunSchema::of_run(&rig, job).await.expect("there is a schema");
        question(schema.connect().await.expect("the database takes connections")).await
    })
}

/// Removes a topic.
pub async fn remove(kafka: &ClientConfig, topic: &str) {
    let admin: AdminClient<DefaultClientContext> = kafka.create().expect("the settings are good");
    let removed = admin.delete_topics(&[topic], &AdminOptions::new()).await;
    removed.expect("the broker answers").remove(0).expect("the topic was there");
}

/// One number from the tables of a job; -1 where they are not there yet.
pub fn number(job: &str, query: &str) -> i64 {
    ask(job, async |database| database.query_one(query, &[]).await.map_or(-1, |row| row.get(0)))
}

/// Asks until the number is large enough.
pub fn until_at_least(job: &str, query: &str, expected: i64) {
    let deadline = Instant::now() + BOUND;
    loop {
        let found = number(job, query);
        if found >= expected {
            return;
        }
        assert!(Instant::now() < deadline, "{job}: expected {expected}, found {found}: {query}");
    }
}

/// The number of the newest checkpoint.
pub const CHECKPOINTS: &str = "SELECT coalesce(max(id), 0)::bigint FROM checkpoints";

/// The flights in all rows.
pub const ROWS: &str = "SELECT coalesce(sum(count), 0)::bigint FROM processed_events_aggregated";

/// What a job has in its database, without its checkpoints.
#[derive(Debug, PartialEq, Eq)]
pub struct Tables {
    /// As Flink's file has them.
    pub windows: Vec<String>,
    pub dropped: Vec<String>,
    pub dead_letters: Vec<String>,
}

const WINDOWS: &str = "
    SELECT concat_ws(',', to_char(window_start AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),
        to_char(window_end AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), origin, count,
        sum_delay_min, to_char(mean_delay_min, 'FM999990.000000'), worst_delay_min, over_15_min,
        revision)
    FROM processed_events_aggregated ORDER BY window_start, origin";

const DROPPED: &str = "
    SELECT concat_ws(',', partition, record_offset, reason, sentence) FROM dropped_records
    ORDER BY partition, record_offset";

const DEAD_LETTERS: &str = "
    SELECT concat_ws(',', partition, record_offset, reason) FROM dead_letters
    ORDER BY partition, record_offset";

impl Tables {
    pub fn of(job: &str) -> Tables {
        ask(job, async |database| {
            let lines = async |query| {
                let rows = database.query(query, &[]).await.expect("the tables are there");
                rows.iter().map(|row| row.get(0)).collect::<Vec<String>>()
            };
            Tables {
                windows: lines(WINDOWS).await,
                dropped: lines(DROPPED).await,
                dead_letters: lines(DEAD_LETTERS).await,
            }
        })
    }

    /// Says in which lines they differ: the tables may be long.
    pub fn assert_same(&self, expected: &Tables) {
        let missing = |one: &[String], other: &[String]| {
            other.iter().filter(|line| !one.contains(line)).take(5).cloned().collect::<Vec<_>>()
        };
        for (found, expected) in [
            (&self.windows, &expected.windows),
            (&self.dropped, &expected.dropped),
            (&self.dead_letters, &expected.dead_letters),
        ] {
            let (more, less) = (missing(expected, found), missing(found, expected));
            assert!(found == expected, "more than expected: {more:#?}, less: {less:#?}");
        }
    }

    /// Windows that were given out more than once.
    pub fn corrected(&self) -> usize {
        self.windows.iter().filter(|line| !line.ends_with(",1")).count()
    }
}
