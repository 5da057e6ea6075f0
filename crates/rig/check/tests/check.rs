//! `make check-cluster` on real servers: good ones, and such as lack something.

mod named;
mod sql;

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use futures::executor::block_on;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rig::{Private, Rig};
use tokio_postgres::NoTls;

use crate::named::command_named;
use crate::sql::sql;

/// A word that must not be printed.
const PASSWORD: &str = "a-secret-word";

/// As if this user's server were an hour and a minute ahead: it finds this function before PostgreSQL's own.
const CLOCK_AHEAD: &str = "
    CREATE SCHEMA ahead;
    CREATE FUNCTION ahead.clock_timestamp() RETURNS timestamptz LANGUAGE sql
        AS 'SELECT pg_catalog.clock_timestamp() + interval ''61 minutes''';
    GRANT USAGE ON SCHEMA ahead TO poor;
    ALTER ROLE poor SET search_path = ahead, pg_catalog";

/// How long anything here may take.
const DEADLINE: Duration = Duration::from_secs(60);

fn check(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_check-cluster"));
    command.args(arguments).envs(variables.iter().copied());
    command.output().expect("the program runs")
}

/// Servers without log-in and prefix, whatever this process's own are.
fn check_named(brokers: &str, database_url: &str) -> Output {
    command_named(brokers, database_url, "5").output().expect("the program runs")
}

/// A check that is at work, and what it has said so far.
struct AtWork {
    child: Child,
    lines: Receiver<String>,
    said: String,
}

impl AtWork {
    fn start(mut command: Command) -> AtWork {
        let spawned = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = spawned.expect("the program runs");
        let (sender, lines) = channel();
        forward(child.stdout.take().expect("it is piped"), sender.clone());
        forward(child.stderr.take().expect("it is piped"), sender);
        AtWork { child, lines, said: String::new() }
    }

    /// Waits for a line that begins like this.
    #[track_caller]
    fn until(&mut self, beginning: &str) {
        while let Some(line) = self.next() {
            if line.starts_with(beginning) {
                return;
            }
        }
        panic!("it ended without `{beginning}`:\n{}", self.said);
    }

    /// The next line; `None` when it has ended.
    #[track_caller]
    fn next(&mut self) -> Option<String> {
        match self.lines.recv_timeout(DEADLINE) {
            Ok(line) => {
                self.said += &format!("{line}\n");
                Some(line)
            }
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => {
                panic!("no line within {} s after:\n{}", DEADLINE.as_secs(), self.said)
            }
        }
    }

    fn press_ctrl_c(&self) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).expect("a pid fits in an i32"));
        kill(pid, Signal::SIGINT).expect("it is at work");
    }

    /// Waits for its end. Gives all that it has said.
    #[track_caller]
    fn end(mut self) -> (ExitStatus, String) {
        while self.next().is_some() {}
        (self.child.wait().expect("it has ended"), std::mem::take(&mut self.said))
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn forward(stream: impl Read + Send + 'static, lines: Sender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            // The test may have ended.
            let _ = lines.send(line);
        }
    });
}

/// A server that takes connections and never says a word.
fn silent_server() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it has an address").to_string();
    (listener, address)
}

fn text(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!text.contains(PASSWORD), "the password is shown: {text}");
    assert_eq!(String::from_utf8_lossy(&output.stderr).matches("panicked").count(), 0);
    text
}

/// Expects these beginnings of lines, and an exit code of 1.
#[track_caller]
fn lacks(output: &Output, expected: &[&str]) {
    let text = text(output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    for beginning in expected {
        assert!(
            text.lines().any(|line| line.starts_with(beginning)),
            "no `{beginning}` in:\n{text}"
        );
    }
}

/// The words and names of the lines between the first and the last.
fn told(text: &str) -> Vec<(String, String)> {
    let lines = text.lines().filter(|line| {
        ["ok", "note", "MISSING", "not asked"].iter().any(|word| line.starts_with(word))
    });
    let halves = |line: &str| (line[..10].trim().to_owned(), line[10..31].trim().to_owned());
    lines.map(halves).collect()
}

fn topics(kafka: &ClientConfig) -> Vec<String> {
    let admin: AdminClient<DefaultClientContext> = kafka.create().expect("a client");
    let limit = Duration::from_secs(10);
    let all = admin.inner().fetch_metadata(None, limit).expect("the broker answers");
    all.topics().iter().map(|topic| topic.name().to_owned()).collect()
}

/// What this check has made is gone, or soon is: a broker confirms a deletion before it is done. Another
/// check may be at work on the same servers.
#[track_caller]
fn nothing_stays(text: &str, kafka: &ClientConfig, database_url: &str) {
    let name = text.split('`').nth(1).and_then(|name| name.strip_suffix('…'));
    let name = name.expect("the first line says how things are named");
    soon_empty("topics", || {
        topics(kafka).into_iter().filter(|topic| topic.starts_with(name)).collect()
    });
    let name = rig::sql_name(name);
    let names = format!(
        "SELECT name FROM (SELECT datname AS name FROM pg_database UNION ALL \
         SELECT nspname FROM pg_namespace) AS names WHERE name = '{name}'"
    );
    soon_empty("schemas or databases", || sql(database_url, &names));
}

#[track_caller]
fn soon_empty(what: &str, names: impl Fn() -> Vec<String>) {
    let until = Instant::now() + DEADLINE;
    loop {
        let names = names();
        if names.is_empty() {
            return;
        }
        assert!(Instant::now() < until, "{what} stay for {} s: {names:?}", DEADLINE.as_secs());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The same database, another user.
fn as_user(database_url: &str, user: &str) -> String {
    let (_, after_user) = database_url.rsplit_once('@').expect("the address has a user");
    format!("postgresql://{user}:{PASSWORD}@{after_user}")
}

fn set_on_the_broker(kafka: &ClientConfig, settings: &[(&str, &str)]) {
    let admin: AdminClient<DefaultClientContext> = kafka.create().expect("a client");
    let limit = Duration::from_secs(10);
    let all = admin.inner().fetch_metadata(None, limit).expect("the broker answers");
    let mut change = AlterConfig::new(ResourceSpecifier::Broker(all.brokers()[0].id()));
    for (name, value) in settings {
        change = change.set(name, value);
    }
    let answers = block_on(admin.alter_configs([&change], &AdminOptions::new()));
    answers.expect("the broker answers").remove(0).expect("the broker takes the settings");
}

#[test]
fn every_need_is_asked_once_in_order_and_nothing_stays() {
    let rig = Rig::up().expect("the rig is up");
    let output = check(&[], &[]);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.ends_with("all that the labs need is there\n"), "{said}");
    let told = told(&said);
    assert!(told.iter().all(|(word, _)| word == "ok" || word == "note"), "{said}");
    let names: Vec<_> = told.into_iter().map(|(_, name)| name).collect();
    let list = String::from_utf8(check(&["--list"], &[]).stdout).expect("it is text");
    let listed: Vec<_> = list.lines().skip(2).filter_map(|row| row.split(" | ").next()).collect();
    let listed: Vec<_> = listed.iter().map(|cell| cell.trim_start_matches("| ")).collect();
    assert_eq!(names, listed);
    nothing_stays(&said, &rig.kafka(), rig.database_url());
}

#[test]
fn settings_that_the_labs_cannot_do_with_are_named_and_nothing_stays() {
    let own = Private::start().expect("a private rig starts");
    let (kafka, database_url) = (own.kafka(), own.database_url());
    set_on_the_broker(
        &kafka,
        &[("log.message.timestamp.before.max.ms", "3600000"), ("message.max.bytes", "100000")],
    );
    let database = sql(database_url, "SELECT current_database()").remove(0);
    sql(database_url, &format!("ALTER DATABASE {database} SET default_transaction_read_only = on"));
    let brokers = kafka.get("bootstrap.servers").expect("it is set");
    let output = check_named(brokers, database_url);
    lacks(
        &output,
        &[
            "ok        retention.ms=-1      kept as asked",
            "MISSING   timestamps of 2013   refused; ask who runs it for message.timestamp.before.max",
            "MISSING   records of 900 kB    ",
            "not asked pace of writing      ",
            "not asked reading              ",
            "ok        groups               joined",
            "ok        deletion of topics   ",
            "MISSING   writing to it        is read-only; name a server",
            "not asked databases            ",
            "3 needs are missing",
        ],
    );
    nothing_stays(&text(&output), &kafka, database_url);
}

#[test]
fn a_user_who_may_too_little_reads_which_right_to_ask_for() {
    let own = Private::start().expect("a private rig starts");
    let database_url = own.database_url();
    sql(database_url, &format!("CREATE ROLE poor LOGIN PASSWORD '{PASSWORD}' CONNECTION LIMIT 5"));
    sql(
        database_url,
        "UPDATE pg_database SET encoding = pg_char_to_encoding('LATIN1') WHERE datname = 'template0'",
    );
    sql(database_url, CLOCK_AHEAD);
    let kafka = own.kafka();
    let brokers = kafka.get("bootstrap.servers").expect("it is set");
    let output = check_named(brokers, &as_user(database_url, "poor"));
    lacks(
        &output,
        &[
            "MISSING   schemas              does not let you make schemas, and each run makes one; ask",
            "MISSING   databases            does not let you make databases, and each test makes one; ask",
            "MISSING   UTF8                 makes databases in LATIN1, expected UTF8; name a server",
            "MISSING   connections          expected 24, found 5: PostgreSQL takes no more connections",
            "MISSING   PostgreSQL's clock   36",
            "5 needs are missing",
        ],
    );
    nothing_stays(&text(&output), &kafka, database_url);
    lacks(
        &check_named(brokers, &as_user(database_url, "nobody")),
        &["MISSING   PostgreSQL           refused to log you in; are ", "1 need is missing"],
    );
}

#[test]
fn where_kafka_is_not_there_postgresql_is_asked_all_the_same() {
    let rig = Rig::up().expect("the rig is up");
    // Bound and closed again: nobody listens there.
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|bound| bound.local_addr());
    let closed = closed.expect("a port is free").to_string();
    let output = check_named(&closed, rig.database_url());
    lacks(
        &output,
        &[
            &format!("MISSING   an answer            Kafka at {closed} did not answer within 5 s"),
            "not asked topics               ",
            "ok        databases            made and dropped",
            "1 need is missing",
        ],
    );
}

#[test]
fn ctrl_c_while_kafka_is_asked_removes_what_was_made() {
    let rig = Rig::up().expect("the rig is up");
    let kafka = rig.kafka();
    let brokers = kafka.get("bootstrap.servers").expect("it is set");
    // Without a database it can't come to its end before the signal.
    let (_listener, address) = silent_server();
    let database_url = format!("postgresql://me:{PASSWORD}@{address}/db");
    let mut check = AtWork::start(command_named(brokers, &database_url, "60"));
    check.until("ok        topics  ");
    check.press_ctrl_c();
    check.until("stopping: what this has made is being removed");
    let (status, said) = check.end();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("stopped by Ctrl-C"), "{said}");
    nothing_stays(&said, &kafka, rig.database_url());
}

#[test]
fn ctrl_c_while_postgresql_makes_a_database_removes_it() {
    let own = Private::start().expect("a private rig starts");
    let (kafka, database_url) = (own.kafka(), own.database_url());
    let brokers = kafka.get("bootstrap.servers").expect("it is set");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let connected = runtime.block_on(tokio_postgres::connect(database_url, NoTls));
    let (holder, connection) = connected.expect("the server takes connections");
    runtime.spawn(connection);
    // Nobody makes a database until this ends.
    let held = "BEGIN; LOCK TABLE pg_database IN SHARE MODE";
    runtime.block_on(holder.batch_execute(held)).expect("the table is locked");
    let mut check = AtWork::start(command_named(brokers, database_url, "60"));
    check.until("ok        schemas  ");
    check.press_ctrl_c();
    check.until("stopping: what this has made is being removed");
    runtime.block_on(holder.batch_execute("COMMIT")).expect("the lock is given back");
    let (status, said) = check.end();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("stopped by Ctrl-C; what this has made is gone"), "{said}");
    nothing_stays(&said, &kafka, database_url);
}

#[test]
fn ctrl_c_is_heard_while_a_server_says_nothing() {
    let rig = Rig::up().expect("the rig is up");
    let kafka = rig.kafka();
    let brokers = kafka.get("bootstrap.servers").expect("it is set");
    let (silent, address) = silent_server();
    let silent_url = format!("postgresql://me:{PASSWORD}@{address}/db");
    for (brokers, database_url) in
        [(address.as_str(), rig.database_url()), (brokers, silent_url.as_str())]
    {
        let check = AtWork::start(command_named(brokers, database_url, "60"));
        let _asked = silent.accept().expect("the silent server is asked");
        check.press_ctrl_c();
        let (status, said) = check.end();
        assert_eq!(status.code(), Some(1), "{said}");
        assert!(said.contains("stopped by Ctrl-C"), "{said}");
        assert!(!said.contains("MISSING"), "it has waited for an answer: {said}");
    }
}

#[test]
fn transactions_fit_into_any_patience() {
    let rig = Rig::up().expect("the rig is up");
    let kafka = rig.kafka();
    let brokers = kafka.get("bootstrap.servers").expect("it is set");
    // Longer than the client's own transactions, and longer than a broker takes.
    for seconds in ["61", "3600"] {
        let output = command_named(brokers, rig.database_url(), seconds).output();
        let said = text(&output.expect("the program runs"));
        let expected = "ok        transactions         a record is written in one";
        assert!(said.lines().any(|line| line == expected), "{seconds} s: {said}");
    }
}
