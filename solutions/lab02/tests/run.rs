//! `cargo run` and Kafka's own tools: the program and the chapter say the same.

extern crate lab02_solution as lab02;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{LazyLock, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use lab02::group::{GroupEvent, What, owners, read_twice};
use lab02::picture::draw;
use lab02::table::connect;
use rig::Rig;
use testkit::page::{with_prefix, without_prefix};
use tokio::runtime::Runtime;

const PROGRAM: &str = env!("CARGO_BIN_EXE_lab02-solution");

/// Within this, whatever is awaited comes, or something is broken.
const BOUND: Duration = Duration::from_secs(60);

fn program(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).stdin(Stdio::null()).output().expect("the program runs")
}

fn chapter() -> String {
    let chapter = root().join("book/src/02-producers-and-consumers.md");
    std::fs::read_to_string(chapter).expect("the chapter is there")
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

fn signal(child: &Child, signal: &str) {
    let status = Command::new("kill").args([signal, &child.id().to_string()]).status();
    assert!(status.expect("kill runs").success());
}

/// The chapter speaks of the learner's own run.
fn as_a_learner_sees_it(said: &str) -> String {
    without_prefix(said).replace("lab02-solution", "lab02").replace("lab02_solution", "lab02")
}

/// The topic of the runs below. A learner's own runs use `lab02.calm`.
static CALM: LazyLock<String> = LazyLock::new(|| with_prefix("lab02-solution.calm"));

/// What a second run prints. It finds the topic, empties the table, and so doubles nothing.
static RUN: LazyLock<String> = LazyLock::new(|| {
    let first = program(&[]);
    assert!(first.status.success(), "{}", text(&first.stderr));
    let second = program(&[]);
    assert!(second.status.success(), "{}", text(&second.stderr));
    text(&second.stdout)
});

#[test]
fn the_chapter_shows_a_run_as_it_is_printed() {
    let chapter = chapter();
    for line in as_a_learner_sees_it(&RUN).lines() {
        assert!(chapter.contains(line), "the chapter does not show this line: {line}");
    }
}

/// Held by who needs the table as it is: each run empties it.
static TABLE: Mutex<()> = Mutex::new(());

#[test]
fn the_chapter_shows_what_the_rows_say() {
    LazyLock::force(&RUN);
    let _mine = TABLE.lock();
    let run = program(&[]);
    assert!(run.status.success(), "{}", text(&run.stderr));
    let chapter = chapter();
    let query = chapter.split("```sql\n").nth(1).and_then(|block| block.split("```").next());
    let rig = Rig::up().expect("the rig is up");
    let schema = rig.schema_name("lab02_solution.");
    let query = query.expect("the chapter has a query").replace("lab02.", &schema);
    Runtime::new().expect("the system gives a runtime").block_on(async {
        let address = rig.database_url().parse().expect("it is an address");
        let database = connect(&address).await.expect("the database is up");
        let rows = database.query(&query, &[]).await.expect("the query runs");
        assert_eq!(rows.len(), 3, "one for each airport");
        for row in rows {
            let (origin, count, delay): (&str, i64, i32) = (row.get(0), row.get(1), row.get(2));
            let line = format!("\n {origin:<6} | {count:>5} | {delay:>3}\n");
            assert!(chapter.contains(&line), "the chapter does not show: {line}");
        }
    });
}

#[test]
fn the_chapter_shows_a_dead_letter_as_kafkas_own_consumer_prints_it() {
    let _mine = TABLE.lock();
    // Both topics are removed when the run is done.
    let storm = with_prefix("lab02-solution.storm");
    let dead_letters = format!("{storm}.dead-letters");
    let mut job = Command::new(PROGRAM)
        .args(["--week", "storm", "--follow"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut said = BufReader::new(job.stdout.take().expect("it is piped"));
    let mut line = String::new();
    said.read_line(&mut line).expect("it is text");
    assert!(line.contains(&storm), "{line}");
    // The topic is filled now, and counted.
    let mut arguments = vec!["--topic", &storm];
    for property in ["parse.key=true", "key.separator=:"] {
        arguments.extend(["--reader-property", property]);
    }
    tool("kafka-console-producer", &arguments, "EWR:not a flight\n");
    let mut arguments = vec!["--topic", &dead_letters, "--from-beginning", "--max-messages", "1"];
    arguments.extend(["--timeout-ms", "60000"]);
    for part in ["print.headers=true", "print.key=true"] {
        arguments.extend(["--formatter-property", part]);
    }
    let letter = tool("kafka-console-consumer", &arguments, "");
    signal(&job, "-INT");
    let ended = job.wait_with_output().expect("the program ends");
    for topic in [&storm, &dead_letters] {
        tool("kafka-topics", &["--delete", "--topic", topic], "");
    }
    assert!(ended.status.success(), "{}", text(&ended.stderr));
    let chapter = chapter();
    let shown = chapter.lines().find(|line| line.starts_with("__connect.errors.topic:lab02.calm"));
    let shown = shown.expect("the chapter shows a dead letter");
    assert_eq!(parts(&letter), parts(shown), "found {letter}");
}

/// A dead letter without its topic, partition, offset and timestamp: the chapter's lay elsewhere.
fn parts(letter: &str) -> Vec<String> {
    let changing = ["topic:", "partition:", "offset:", "timestamp:"];
    let all = letter.trim_end().split([',', '\t']);
    all.map(|part| match changing.iter().find_map(|name| part.split_once(name)) {
        Some((before, _)) => before.to_owned(),
        None => part.to_owned(),
    })
    .collect()
}

/// A group of members that are processes of their own, and all that they tell.
struct Members {
    group: String,
    sender: Sender<GroupEvent>,
    told: Receiver<GroupEvent>,
    events: Vec<GroupEvent>,
}

impl Members {
    fn start(&self, name: &str) -> Child {
        let mut child = Command::new(PROGRAM)
            .args(["member", "--json", "--name", name])
            .args(["--topic", &CALM, "--group", &self.group])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program runs");
        let output = BufReader::new(child.stdout.take().expect("it is piped"));
        let sender = self.sender.clone();
        thread::spawn(move || {
            for line in output.lines() {
                let line = line.expect("it is text");
                let Ok(event) = serde_json::from_str(&line) else { break };
                let _ = sender.send(event);
            }
        });
        child
    }

    /// Listens until these members own all partitions and have read so many records in all. What
    /// was heard on the way is put in the order of the members' names: processes that speak at the
    /// same moment have no other.
    fn until(&mut self, members: &[&str], records: usize) {
        let deadline = Instant::now() + BOUND;
        let begin = self.events.len();
        while !(shared(&self.events, members) && reads(&self.events) >= records) {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(event) = self.told.recv_timeout(left) else {
                panic!(
                    "awaited {members:?} and {records} records; seen {} records and\n{}",
                    reads(&self.events),
                    draw(&self.events)
                );
            };
            self.events.push(event);
        }
        self.events[begin..].sort_by(|one, other| one.member.cmp(&other.member));
    }

    fn until_nobody_is_left(&mut self) {
        while self.events.last().is_none_or(|event| event.what != What::Left) {
            let event = self.told.recv_timeout(BOUND).expect("a member says that it leaves");
            self.events.push(event);
        }
    }
}

/// Whether each of these members owns something, nobody else does, and nothing is without an owner.
fn shared(events: &[GroupEvent], members: &[&str]) -> bool {
    let owners = owners(events);
    let all_owned = owners.len() == 3 && owners.values().all(|names| names.len() == 1);
    let mut named: Vec<&str> = owners.values().flatten().map(String::as_str).collect();
    named.sort_unstable();
    named.dedup();
    all_owned && named == members
}

fn reads(events: &[GroupEvent]) -> usize {
    events.iter().filter(|event| matches!(event.what, What::Read { .. })).count()
}

/// What `kafka-consumer-groups --describe` says of a group: the partitions with their ends, and the
/// sum of the lags. On which partition they lie depends on how the reading went to and fro.
fn ends_and_lag(described: &str, group: &str) -> (Vec<(i32, usize)>, usize) {
    let lines = described.lines().map(|line| line.split_whitespace().collect::<Vec<&str>>());
    let of_group: Vec<Vec<&str>> =
        lines.filter(|words| words.first() == Some(&group) && words.len() >= 6).collect();
    let mut ends: Vec<(i32, usize)> = of_group
        .iter()
        .map(|words| (words[2].parse().expect("a partition"), words[4].parse().expect("an end")))
        .collect();
    ends.sort_unstable();
    (ends, of_group.iter().map(|words| words[5].parse::<usize>().expect("a lag")).sum())
}

/// A picture whoever has got which partitions when two share them: that is decided by names that
/// the brokers make up.
fn whoever_has_which(picture: &str) -> Vec<String> {
    let named = picture.replace("0 1 2", "all").replace("0 1", "some").replace('2', "some");
    named.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn the_chapter_shows_a_group_and_what_it_read_again() {
    // All 6,292 records are read at first; the last commit is behind 6,000 of them.
    const ALL: usize = 6_292;
    const AGAIN: usize = 292;
    LazyLock::force(&RUN);
    let (sender, told) = channel();
    let group = with_prefix(&format!("lab02-run-{}", std::process::id()));
    let mut members = Members { group, sender, told, events: Vec::new() };
    let mut a = members.start("a");
    members.until(&["a"], ALL);
    let mut b = members.start("b");
    members.until(&["a", "b"], ALL + AGAIN);
    a.kill().expect("a can be killed");
    a.wait().expect("a was killed");
    members.events.push(GroupEvent { member: "a".to_owned(), what: What::Killed });
    members.until(&["b"], ALL + 2 * AGAIN);
    signal(&b, "-INT");
    assert!(b.wait().expect("b ends").success());
    members.until_nobody_is_left();

    let described = tool("kafka-consumer-groups", &["--describe", "--group", &members.group], "");
    let (ends, lag) = ends_and_lag(&described, &members.group);
    assert_eq!((&ends, lag), (&vec![(0, 1_861), (1, 4_431)], AGAIN), "{described}");
    let chapter = chapter();
    assert_eq!(ends_and_lag(&chapter, "members"), (ends, lag), "the chapter shows so");

    let picture = draw(&members.events);
    let begin = chapter.find("a is assigned      0 1 2").expect("the chapter has a picture");
    let end = begin + chapter[begin..].find("```").expect("its block ends");
    let picture_lines = whoever_has_which(&picture);
    assert_eq!(picture_lines[1..], whoever_has_which(&chapter[begin..end]), "{picture}");
    let twice = read_twice(&members.events);
    assert_eq!(twice.len(), AGAIN, "the chapter says so");
    assert!(twice.iter().all(|record| record.members.len() == 3), "the chapter says so");
}
