//! `make check-cluster` on real servers: good ones, and such as lack something.

use std::net::TcpListener;
use std::process::{Command, Output};

use futures::executor::block_on;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rig::{Private, Rig};
use tokio_postgres::NoTls;

/// A word that must not be printed.
const PASSWORD: &str = "a-secret-word";

fn check(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_check-cluster"));
    command.args(arguments).envs(variables.iter().copied());
    command.output().expect("the program runs")
}

/// Servers without log-in and prefix, whatever this process's own are.
fn check_named(brokers: &str, database_url: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_check-cluster"));
    for (name, _) in std::env::vars() {
        if name.starts_with("KAFKA_") || name.starts_with("TIDEMARK_") {
            command.env_remove(name);
        }
    }
    command.env("TIDEMARK_ENV_FILE", "/dev/null").env("TIDEMARK_WAIT_SECONDS", "5");
    command.env("KAFKA_BOOTSTRAP_SERVERS", brokers).env("DATABASE_URL", database_url);
    command.output().expect("the program runs")
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
    let limit = std::time::Duration::from_secs(10);
    let all = admin.inner().fetch_metadata(None, limit).expect("the broker answers");
    all.topics().iter().map(|topic| topic.name().to_owned()).collect()
}

/// What this check has made is gone. Another one may be at work on the same servers.
#[track_caller]
fn nothing_stays(output: &Output, kafka: &ClientConfig, database_url: &str) {
    let text = text(output);
    let name = text.split('`').nth(1).and_then(|name| name.strip_suffix('…'));
    let name = name.expect("the first line says how things are named");
    let kept: Vec<_> = topics(kafka).into_iter().filter(|topic| topic.starts_with(name)).collect();
    assert!(kept.is_empty(), "topics stay: {kept:?}");
    let name = name.to_ascii_lowercase().replace(['.', '-'], "_");
    let names = format!(
        "SELECT count(*)::text FROM (SELECT datname AS name FROM pg_database UNION ALL \
         SELECT nspname FROM pg_namespace) AS names WHERE name = '{name}'"
    );
    assert_eq!(sql(database_url, &names), ["0"], "schemas or databases stay");
}

/// Runs statements in one go, and gives the first column of the rows.
fn sql(database_url: &str, statements: &str) -> Vec<String> {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(database_url, NoTls)
            .await
            .expect("the server takes connections");
        tokio::spawn(connection);
        let answers = client.simple_query(statements).await.expect("the statements are good");
        let rows = answers.iter().filter_map(|answer| match answer {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        });
        rows.collect()
    })
}

/// The same database, another user.
fn as_user(database_url: &str, user: &str) -> String {
    let (_, after_user) = database_url.rsplit_once('@').expect("the address has a user");
    format!("postgresql://{user}:{PASSWORD}@{after_user}")
}

fn set_on_the_broker(kafka: &ClientConfig, settings: &[(&str, &str)]) {
    let admin: AdminClient<DefaultClientContext> = kafka.create().expect("a client");
    let limit = std::time::Duration::from_secs(10);
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
    let text = text(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.ends_with("all that the labs need is there\n"), "{text}");
    let told = told(&text);
    assert!(told.iter().all(|(word, _)| word == "ok" || word == "note"), "{text}");
    let names: Vec<_> = told.into_iter().map(|(_, name)| name).collect();
    let list = String::from_utf8(check(&["--list"], &[]).stdout).expect("it is text");
    let listed: Vec<_> = list.lines().skip(2).filter_map(|row| row.split(" | ").next()).collect();
    let listed: Vec<_> = listed.iter().map(|cell| cell.trim_start_matches("| ")).collect();
    assert_eq!(names, listed);
    nothing_stays(&output, &rig.kafka(), rig.database_url());
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
            "not asked reading              ",
            "ok        groups               joined",
            "ok        deletion of topics   ",
            "MISSING   writing to it        it is read-only",
            "not asked databases            ",
            "3 needs are missing",
        ],
    );
    nothing_stays(&output, &kafka, database_url);
}

#[test]
fn a_user_who_may_too_little_reads_which_right_to_ask_for() {
    let own = Private::start().expect("a private rig starts");
    let database_url = own.database_url();
    sql(database_url, &format!("CREATE ROLE poor LOGIN PASSWORD '{PASSWORD}' CONNECTION LIMIT 5"));
    let kafka = own.kafka();
    let brokers = kafka.get("bootstrap.servers").expect("it is set");
    let output = check_named(brokers, &as_user(database_url, "poor"));
    lacks(
        &output,
        &[
            "MISSING   schemas              permission denied for database",
            "MISSING   databases            permission denied to create database; ask for CREATEDB",
            "MISSING   20 connections       4 beside the first, then",
            "3 needs are missing",
        ],
    );
    nothing_stays(&output, &kafka, database_url);
    lacks(
        &check_named(brokers, &as_user(database_url, "nobody")),
        &["MISSING   PostgreSQL           does not let you in: ", "1 need is missing"],
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
