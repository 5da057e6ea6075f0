//! `cargo run`, kill -9 and Kafka's own tools: the program and the tools say the same.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use lab03_solution::sink::ensure_tables;
use rig::Rig;
use runs::RunSchema;
use testkit::page::{with_prefix, without_prefix};
use tokio::runtime::Runtime;
use tokio_postgres::Client;

/// The flights that left in the two weeks, each a record of its week's topic: 6,292 and 5,173.
const BOTH_WEEKS: i64 = 11_465;

const DEADLINE: Duration = Duration::from_secs(60);

/// Both topics are filled, once for all tests.
static FILLED: LazyLock<()> = LazyLock::new(|| {
    for week in ["calm", "storm"] {
        let output = program(&["groups", "--week", week]);
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
});

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab03-solution"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn program(arguments: &[&str]) -> Output {
    command(arguments).output().expect("the program runs")
}

/// What the program prints when it succeeds.
fn printed(arguments: &[&str]) -> String {
    let output = program(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// The lines of the program's error, those of the rig left out.
fn error_of(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    let said = text(&output.stderr);
    let lines: Vec<&str> = said.lines().filter(|line| !line.starts_with("rig: ")).collect();
    assert_eq!(lines.len(), 1, "one sentence: {said}");
    lines[0].to_owned()
}

/// Runs one of the tools in `bin/` and returns what it prints.
fn tool(name: &str, arguments: &[&str]) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bin").join(name);
    let output =
        Command::new(path).args(arguments).stdin(Stdio::null()).output().expect("the tool runs");
    assert!(output.status.success(), "{name} failed: {}", text(&output.stderr));
    text(&output.stdout)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A group of one test's own. The name of a process is taken again one day, so it is random.
fn group(test: &str) -> String {
    use std::hash::BuildHasher;

    let random = std::hash::RandomState::new().hash_one(test);
    with_prefix(&format!("lab03-run-{test}-{random:x}"))
}

/// The lines of the program's `groups`: partition, first, end, committed, lag.
fn lag_lines(printed: &str) -> Vec<Vec<String>> {
    let lines = printed.lines().filter(|line| {
        line.split_whitespace().next().is_some_and(|word| word.parse::<i32>().is_ok())
    });
    lines.map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
}

/// The same of `kafka-consumer-groups --describe`: partition, committed, end, lag.
fn tools_lines(group: &str) -> Vec<Vec<String>> {
    let said = tool("kafka-consumer-groups", &["--describe", "--group", group]);
    let mut lines: Vec<Vec<String>> = said
        .lines()
        .map(|line| line.split_whitespace().map(str::to_owned).collect::<Vec<String>>())
        .filter(|words| words.first().is_some_and(|first| first == group))
        .map(|words| words[2..6].to_vec())
        .collect();
    lines.sort_unstable();
    lines
}

/// A transaction that has written the row of one record and not ended. A job that comes to this
/// record waits in the middle of its write, so that it can be killed there.
struct InTheWay {
    client: Client,
}

impl InTheWay {
    async fn at(schema: &RunSchema, topic: &str, partition: i32, offset: i64) -> InTheWay {
        let client = schema.connect().await.expect("the database takes connections");
        let insert = format!(
            "BEGIN; INSERT INTO processed_events VALUES \
             ('{topic}', {partition}, {offset}, 'epoch', '', 0, NULL, '', '', 0, 'epoch', 0)"
        );
        client.batch_execute(&insert).await.expect("the row is not there yet");
        InTheWay { client }
    }

    /// Waits until a job waits for this row, then kills it, as `kill -9` does. Gives the number of
    /// the topic's rows that the job has written.
    async fn kill(self, mut job: Child, client: &Client, topic: &str) -> i64 {
        let waits = "SELECT count(*) FROM pg_locks \
                     WHERE NOT granted AND transactionid = pg_current_xact_id()::xid";
        let deadline = Instant::now() + DEADLINE;
        while self.client.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) == 0 {
            let ended = job.try_wait().expect("the program can be looked at");
            assert!(ended.is_none(), "the program ended before it came to this row");
            assert!(Instant::now() < deadline, "waited {DEADLINE:?} for the program to write");
        }
        job.kill().expect("the program can be killed");
        job.wait().expect("the program was killed");
        let count = "SELECT count(*) FROM processed_events WHERE topic = $1";
        client.query_one(count, &[&topic]).await.unwrap().get(0)
    }
}

#[test]
fn both_weeks_are_complete_although_each_run_was_killed_half_way() {
    LazyLock::force(&FILLED);
    Runtime::new().expect("the system gives a runtime").block_on(async {
        let rig = Rig::up().expect("the rig is up");
        let schema = RunSchema::of_run(&rig, "lab03_solution").await.unwrap();
        let client = schema.connect().await.unwrap();
        ensure_tables(&client).await.expect("the tables can be made");
        client.batch_execute("TRUNCATE processed_events").await.expect("the table can be emptied");

        let group = group("killed");
        for (week, kill_at) in [("calm", vec![700, 2_000, 3_600]), ("storm", vec![1_800])] {
            let topic = with_prefix(&format!("lab03-solution.{week}"));
            let arguments = ["--week", week, "--group", &group, "--batch", "20"];
            let mut before = 0;
            for offset in kill_at {
                let in_the_way = InTheWay::at(&schema, &topic, 1, offset).await;
                let job = command(&arguments).spawn().expect("the program runs");
                let rows = in_the_way.kill(job, &client, &topic).await;
                println!("{topic}: killed at {rows} rows");
                assert!(before < rows, "the run before was killed at {before} rows");
                before = rows;
            }
            let said = printed(&arguments);
            println!("{said}");
            let lags: Vec<String> = lag_lines(&said).iter().map(|w| w[4].clone()).collect();
            assert_eq!(lags, ["0", "0", "0"], "{said}");
        }
        // A place is the table's key. So these are all offsets of the four partitions, each once.
        let places = "SELECT topic || ' ' || partition, count(*), min(record_offset), \
                      max(record_offset) + 1 FROM processed_events GROUP BY 1 ORDER BY 1";
        let found: Vec<(String, i64, i64, i64)> = client
            .query(places, &[])
            .await
            .unwrap()
            .iter()
            .map(|row| (row.get(0), row.get(1), row.get(2), row.get(3)))
            .collect();
        let whole = |name: &str, records| {
            (with_prefix(&format!("lab03-solution.{name}")), records, 0, records)
        };
        let expected = [
            whole("calm 0", 1_861),
            whole("calm 1", 4_431),
            whole("storm 0", 1_563),
            whole("storm 1", 3_610),
        ];
        assert_eq!(found, expected);
        assert_eq!(found.iter().map(|(_, rows, ..)| rows).sum::<i64>(), BOTH_WEEKS);
    });
}

#[test]
fn kafkas_own_tool_sees_the_same_commits_ends_and_lag() {
    LazyLock::force(&FILLED);
    let group = group("lag");
    let reset = ["reset", "--week", "storm", "--group", &group, "--to", "2013-02-08T12:00:00Z"];
    let ours = lag_lines(&printed(&reset));
    // Partition, committed, end and lag.
    let ours: Vec<Vec<String>> =
        ours.iter().map(|w| [&w[0], &w[3], &w[2], &w[4]].map(String::clone).to_vec()).collect();
    assert_eq!(tools_lines(&group), ours);
    assert_eq!(printed(&["groups", "--week", "storm", "--group", &group]), printed(&reset));
}

#[test]
fn kafkas_own_tool_finds_the_same_offsets_by_time() {
    LazyLock::force(&FILLED);
    // 2013-02-08T12:00:00Z.
    let topic = with_prefix("lab03-solution.storm");
    let arguments = ["--topic", &topic, "--time", "1360324800000"];
    let theirs = tool("kafka-get-offsets", &arguments);
    let group = group("time");
    let reset = ["reset", "--week", "storm", "--group", &group, "--to", "2013-02-08T12:00:00Z"];
    let ours = lag_lines(&printed(&reset));
    let committed = |partition: usize| format!("{topic}:{partition}:{}", ours[partition][3]);
    // The tool leaves out a partition that has no such record; we begin at its end, 0.
    assert_eq!(theirs.lines().collect::<Vec<&str>>(), [committed(0), committed(1)]);
    assert_eq!(ours[2][3], "0");
}

#[test]
fn a_reset_by_kafkas_own_tool_is_where_the_next_run_begins() {
    LazyLock::force(&FILLED);
    let group = group("tool");
    let topic = &with_prefix("lab03-solution.storm");
    let reset = |to: &[&str]| {
        let arguments = ["--reset-offsets", "--group", &group, "--topic", topic, "--execute"];
        tool("kafka-consumer-groups", &[&arguments, to].concat())
    };
    let said = reset(&["--to-latest"]);
    let run = printed(&["--week", "storm", "--group", &group]);
    let lags: Vec<String> = lag_lines(&run).iter().map(|words| words[4].clone()).collect();
    assert_eq!(lags, ["0", "0", "0"], "{said}{run}");
    let said = reset(&["--to-offset", "40"]);
    let groups = printed(&["groups", "--week", "storm", "--group", &group]);
    let committed: Vec<String> = lag_lines(&groups).iter().map(|words| words[3].clone()).collect();
    // The tool moves an offset that is not there to the end; partition 2 is empty.
    assert_eq!(committed, ["40", "40", "0"], "{said}{groups}");
}

#[test]
fn what_there_is_not_is_one_sentence() {
    LazyLock::force(&FILLED);
    let output = program(&["--from", "yesterday"]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.contains("found `yesterday`"), "{said}");

    let error = error_of(&program(&["--week", "storm", "--from", "offset:5000"]));
    assert_eq!(
        without_prefix(&error),
        "error: topic `lab03-solution.storm`, partition 0: offset 5000 is not there, \
         expected one from 0 to 1563"
    );
    let future = ["--week", "storm", "--group", &group("future"), "--from", "2099-01-01T00:00:00Z"];
    assert!(printed(&future).contains("no record is of 2099-01-01T00:00:00Z or later"));
}

#[test]
fn a_database_that_is_gone_is_one_sentence() {
    let kafka = Rig::up().expect("the rig is up").cluster().bootstrap().to_owned();
    let output = command(&["--week", "storm"])
        .env("TIDEMARK_RIG", "external")
        .env("KAFKA_BOOTSTRAP_SERVERS", kafka)
        .env("DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none")
        .output()
        .expect("the program runs");
    let error = error_of(&output);
    assert!(error.starts_with("error: PostgreSQL at 127.0.0.1:9 did not answer; "), "{error}");
}

#[test]
fn the_crash_tables_are_printed_without_a_broker() {
    let printed = printed(&["crashes"]);
    let guarantees: Vec<&str> =
        printed.lines().filter_map(|line| line.strip_prefix("  guarantee: ")).collect();
    assert_eq!(
        guarantees,
        ["at least once: nothing lost, some repeated", "at most once: nothing repeated, some lost"]
    );
}
