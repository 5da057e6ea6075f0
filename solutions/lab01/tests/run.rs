//! `cargo run` and Kafka's own tools: the program and the book say the same.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use testkit::page::{with_prefix, without_prefix};

const PROGRAM: &str = env!("CARGO_BIN_EXE_lab01-solution");

/// The topic of the runs below. A learner's own runs use `lab01.calm`.
static TOPIC: LazyLock<String> = LazyLock::new(|| with_prefix("lab01-solution.calm"));

/// A run of one flight, the first of these runs: all of them use the one topic.
static ONE_FLIGHT: LazyLock<Output> = LazyLock::new(|| program(&["--limit", "1", "--board"]));

/// A run whose output nobody reads. `| head` goes away once it has its lines; here it is gone before
/// the first one, so that the program surely meets it.
static UNREAD: LazyLock<Output> = LazyLock::new(|| {
    LazyLock::force(&ONE_FLIGHT);
    let mut child = Command::new(PROGRAM)
        .arg("--board")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    drop(child.stdout.take());
    child.wait_with_output().expect("the program ends")
});

/// What a run with a board prints. Runs came before it, so that whatever it doubled would show.
static RUN: LazyLock<String> = LazyLock::new(|| {
    LazyLock::force(&UNREAD);
    let output = program(&["--board"]);
    assert!(output.status.success(), "the run failed: {}", text(&output.stderr));
    text(&output.stdout)
});

fn program(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).stdin(Stdio::null()).output().expect("the program runs")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs one of the tools in `bin/` and returns what it prints.
fn tool(name: &str, arguments: &[&str], input: &str) -> String {
    let mut child = Command::new(root().join("bin").join(name))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the tool runs");
    let mut stdin = child.stdin.take().expect("the input is piped");
    stdin.write_all(input.as_bytes()).expect("the tool reads its input");
    drop(stdin);
    let output = child.wait_with_output().expect("the tool ends");
    assert!(output.status.success(), "{name} failed: {}", text(&output.stderr));
    text(&output.stdout)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Whether the page shows the block word for word.
fn quotes(page: &str, block: &str) -> bool {
    page.contains(block.trim_end())
}

#[test]
fn the_chapter_shows_the_layout_as_it_is_printed() {
    let chapter = root().join("book/src/01-topics-and-events.md");
    let chapter = std::fs::read_to_string(chapter).unwrap();
    let begin = RUN.find(" partition ").expect("the run prints the layout");
    let end = RUN.find("\n\nNew York departures").expect("the board stands behind the layout");
    let layout = &RUN[begin..end];
    assert!(quotes(&chapter, layout), "the chapter does not show this layout:\n{layout}");
}

#[test]
fn a_second_run_doubles_nothing() {
    LazyLock::force(&RUN);
    let offsets = tool("kafka-get-offsets", &["--topic", &TOPIC], "");
    let topic = TOPIC.as_str();
    assert_eq!(offsets, format!("{topic}:0:1861\n{topic}:1:4431\n{topic}:2:0\n"));
}

#[test]
fn kafkas_own_consumer_sees_key_timestamp_headers_and_payload() {
    LazyLock::force(&RUN);
    let mut arguments = vec!["--topic", &TOPIC, "--partition", "1", "--offset", "earliest"];
    arguments.extend(["--max-messages", "1"]);
    for part in ["print.timestamp=true", "print.headers=true", "print.key=true"] {
        arguments.extend(["--formatter-property", part]);
    }
    let first = tool("kafka-console-consumer", &arguments, "");
    assert_eq!(
        first.trim_end(),
        "CreateTime:1361145180000\tcontent-type:application/json,schema:flight.v1\tJFK\t\
         {\"carrier\":\"EV\",\"flight\":5714,\"tail\":\"N830AS\",\"origin\":\"JFK\",\
         \"dest\":\"IAD\",\"distance_miles\":228,\"scheduled\":\"2013-02-18T00:00:00Z\",\
         \"delay_min\":-7}"
    );
}

#[test]
fn kafkas_own_producer_puts_each_airport_on_the_same_partition() {
    let topic = &with_prefix(&format!("lab01-run-same-partition-{}", std::process::id()));
    tool("kafka-topics", &["--create", "--topic", topic, "--partitions", "3"], "");
    let mut arguments = vec!["--topic", topic];
    for property in ["parse.key=true", "key.separator=:"] {
        arguments.extend(["--reader-property", property]);
    }
    tool("kafka-console-producer", &arguments, "EWR:by hand\nJFK:by hand\nLGA:by hand\n");
    let offsets = tool("kafka-get-offsets", &["--topic", topic], "");
    tool("kafka-topics", &["--delete", "--topic", topic], "");
    // The layout of the chapter: LGA on partition 0, EWR and JFK on partition 1.
    assert_eq!(offsets, format!("{topic}:0:1\n{topic}:1:2\n{topic}:2:0\n"));
}

#[test]
fn a_week_that_there_is_not_is_refused_with_those_there_are() {
    let output = program(&["--week", "rainy"]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.contains("expected a week, `calm` or `storm`, found `rainy`"), "{said}");
}

#[test]
fn a_broker_that_is_not_there_is_one_sentence() {
    let output = Command::new(PROGRAM)
        .env("TIDEMARK_RIG", "external")
        .env("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9")
        .env("DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none")
        .output()
        .expect("the program runs");
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    let errors: Vec<&str> = said.lines().filter(|line| !line.starts_with("rig: ")).collect();
    assert_eq!(errors.len(), 1, "{said}");
    assert!(errors[0].starts_with("error: Kafka at 127.0.0.1:9 did not answer within "), "{said}");
}

#[test]
fn a_reader_that_goes_away_ends_the_run_without_a_word() {
    let said = text(&UNREAD.stderr);
    assert!(UNREAD.status.success(), "{said}");
    assert!(said.lines().all(|line| line.starts_with("rig: ")), "{said}");
}

#[test]
fn one_of_a_thing_is_not_called_many() {
    let said = text(&ONE_FLIGHT.stdout);
    for part in [": 1 flight left", "\n1 record delivered to ", "departures, 1 record read back"] {
        assert!(said.contains(part), "{said}");
    }
}

/// Moments of a run, in milliseconds: a run takes about 700 ms.
const MOMENTS_MS: [u64; 10] = [3, 41, 90, 140, 205, 270, 330, 420, 510, 640];

#[test]
fn a_run_that_is_killed_at_any_moment_is_followed_by_a_clean_one() {
    for moment_ms in MOMENTS_MS {
        let mut killed = Command::new(PROGRAM)
            .args(["--week", "storm"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program runs");
        let moment = Instant::now() + Duration::from_millis(moment_ms);
        while Instant::now() < moment {
            std::thread::yield_now();
        }
        killed.kill().expect("the program can be killed");
        killed.wait().expect("the program was killed");
        let output = program(&["--week", "storm"]);
        let (said, error) = (without_prefix(&text(&output.stdout)), text(&output.stderr));
        assert!(output.status.success(), "killed after {moment_ms} ms: {error}");
        let delivered = "5,173 records delivered to lab01-solution.storm";
        assert!(said.contains(delivered), "killed after {moment_ms} ms: {said}");
    }
    let topic = with_prefix("lab01-solution.storm");
    let offsets = tool("kafka-get-offsets", &["--topic", &topic], "");
    let count = |line: &str| line.rsplit(':').next()?.parse::<u64>().ok();
    let records: u64 = offsets.lines().filter_map(count).sum();
    assert_eq!(records, 5_173, "{offsets}");
}
