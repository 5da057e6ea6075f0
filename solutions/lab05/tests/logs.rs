//! The job's table beside a `GROUP BY` over lab 02's table, and beside Apache Flink, for each log
//! and each setting that Flink was asked for. `-- --nocapture` shows how many rows were compared.
//!
//! The three see the same topic of one partition: lab 02's job makes `processed_events` of it, this
//! lab's job its own tables, and SQL knows of those only which records were dropped. With three
//! partitions the job and SQL are compared alone.

use std::collections::BTreeSet;
use std::time::Duration;

use flights::Flight;
use flights::edge_log::{FLINK_SEED, edge_log};
use flights::weeks::Week;
use lab01::publish::publish;
use lab02::batch::BatchLimits;
use lab02::job::{End, JobConfig as PassThroughConfig, run as pass_through};
use lab04::guard::ALLOWED_AHEAD;
use lab05_solution::board::BoardConfig;
use lab05_solution::input::Until;
use lab05_solution::job::{JobConfig, run};
use lab05_solution::tables::{DROPPED, RESULTS};
use testkit::{TestRig, page, with_rig, within};
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

/// So long a job may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// The row of a window, without its revision, as Flink's files have it.
const FIELDS: &str = "concat_ws(',', \
    to_char(window_start AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), \
    to_char(window_end AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), \
    origin, count, sum_delay_min, to_char(mean_delay_min, 'FM999990.000000'), \
    worst_delay_min, over_15_min)";

/// A line of Flink's `runs.csv`.
struct Asked {
    log: String,
    bound_min: u64,
    lateness_min: u64,
}

/// What the job has made of a log.
struct Made {
    /// Each row of the table, and its revision.
    rows: Vec<(String, i64)>,
    /// The offsets of the dropped records.
    dropped: Vec<String>,
}

fn flights_of(log: &str) -> Vec<Flight> {
    match log {
        "calm" => Week::Calm.load().departed,
        "storm" => Week::Storm.load().departed,
        "edges" => edge_log(FLINK_SEED),
        other => panic!("expected `calm`, `storm` or `edges`, found `{other}`"),
    }
}

/// The lines of a fixture without its comments and its titles.
fn lines(name: &str) -> Vec<String> {
    let text = page::read(&format!("tests/lab05/flink/{name}.csv"));
    text.lines().filter(|line| !line.starts_with('#')).skip(1).map(str::to_owned).collect()
}

fn asked_of(log: &str) -> Vec<Asked> {
    let asked = |line: &String| {
        let fields: Vec<&str> = line.split(',').collect();
        let minutes = |index: usize| fields[index].parse().expect("whole minutes");
        Asked { log: fields[0].to_owned(), bound_min: minutes(1), lateness_min: minutes(2) }
    };
    lines("runs").iter().map(asked).filter(|asked| asked.log == log).collect()
}

fn write_limits() -> BatchLimits {
    BatchLimits { items: 500.try_into().expect("it is not 0"), age: Duration::from_secs(3_600) }
}

/// Puts the log on a topic, and all of it into `processed_events`, by lab 02's job.
async fn prepare(rig: &TestRig, log: &str, partitions: i32) -> JobConfig {
    let flights = flights_of(log);
    let topic = rig.kafka.create_topic(log, partitions).await;
    let dead_letter_topic = rig.kafka.create_topic(&format!("{log}-dead"), 1).await;
    let kafka = rig.kafka.quick_client();
    publish(&kafka, &topic, &flights, &mut |_| {}).await.expect("the broker takes the log");
    let database: tokio_postgres::Config = rig.database.url().parse().expect("it is an address");
    let passing = PassThroughConfig {
        kafka: kafka.clone(),
        topic: topic.clone(),
        dead_letter_topic: dead_letter_topic.clone(),
        group: rig.kafka.group(log),
        database: database.clone(),
        batch: write_limits(),
        end: End::CaughtUp,
    };
    let stop = CancellationToken::new();
    let done = within(LIMIT, "lab 02's job", pass_through(&passing, &stop, &mut |_| {})).await;
    let written = done.expect("lab 02's job runs").written;
    assert_eq!(written, flights.len() as u64, "each record is a row of processed_events");
    JobConfig {
        kafka,
        topic,
        dead_letter_topic,
        database,
        board: BoardConfig {
            window: Duration::from_secs(60 * 60),
            bound: Duration::ZERO,
            allowed_lateness: Duration::ZERO,
            idle_after: None,
            allowed_ahead: ALLOWED_AHEAD,
        },
        write: write_limits(),
        until: Until::TheEnd,
    }
}

async fn rows<T>(
    client: &Client,
    question: &str,
    of: impl Fn(&tokio_postgres::Row) -> T,
) -> Vec<T> {
    let rows = client.query(question, &[]).await.expect("the tables can be read");
    rows.iter().map(of).collect()
}

async fn make(client: &Client, config: &JobConfig) -> Made {
    let stop = CancellationToken::new();
    within(LIMIT, "lab 05's job", run(config, &stop, &mut |_| {})).await.expect("the job runs");
    let results = format!(
        "SELECT {FIELDS}, revision FROM {RESULTS} ORDER BY window_start, origin COLLATE \"C\""
    );
    let dropped =
        format!("SELECT record_offset::text FROM {DROPPED} AS d ORDER BY d.record_offset");
    Made {
        rows: rows(client, &results, |row| (row.get(0), row.get(1))).await,
        dropped: rows(client, &dropped, |row| row.get(0)).await,
    }
}

/// PostgreSQL's own windows over what was not dropped, and how many records it left out for that.
async fn ask_sql(client: &Client, topic: &str) -> (Vec<String>, i64) {
    let is_dropped = format!(
        "EXISTS (SELECT FROM {DROPPED} AS d WHERE d.topic = e.topic \
             AND d.partition = e.partition AND d.record_offset = e.record_offset)"
    );
    let windows = format!(
        "SELECT {FIELDS} FROM ( \
             SELECT date_trunc('hour', scheduled, 'UTC') AS window_start, \
                 date_trunc('hour', scheduled, 'UTC') + interval '1 hour' AS window_end, origin, \
                 count(*) AS count, sum(delay_min) AS sum_delay_min, \
                 sum(delay_min)::double precision / count(*) AS mean_delay_min, \
                 max(delay_min) AS worst_delay_min, \
                 count(*) FILTER (WHERE delay_min > 15) AS over_15_min \
             FROM processed_events AS e WHERE topic = '{topic}' AND NOT {is_dropped} \
             GROUP BY 1, 2, 3) AS windows \
         ORDER BY window_start, origin COLLATE \"C\""
    );
    let left_out = format!(
        "SELECT count(*) FROM processed_events AS e WHERE topic = '{topic}' AND {is_dropped}"
    );
    let left_out = rows(client, &left_out, |row| row.get(0)).await;
    (rows(client, &windows, |row| row.get(0)).await, left_out[0])
}

/// Rows that are in both.
fn equal(ours: &[String], theirs: &[String]) -> usize {
    let theirs: BTreeSet<&String> = theirs.iter().collect();
    ours.iter().filter(|row| theirs.contains(row)).count()
}

/// Compares one log in all settings that Flink was asked for; says a line for each.
async fn compare(rig: &TestRig, log: &str) {
    let mut config = prepare(rig, log, 1).await;
    let client = rig.database.connect().await;
    for Asked { log, bound_min, lateness_min } in asked_of(log) {
        config.board.bound = Duration::from_secs(60 * bound_min);
        config.board.allowed_lateness = Duration::from_secs(60 * lateness_min);
        let Made { rows, dropped } = make(&client, &config).await;
        let ours: Vec<String> = rows.iter().map(|(row, _)| row.clone()).collect();
        let revised: Vec<String> =
            rows.iter().map(|(row, revision)| format!("{row},{revision}")).collect();
        let (sql, left_out) = ask_sql(&client, &config.topic).await;
        let name = format!("{log}-{bound_min}-{lateness_min}");
        let flink = lines(&format!("{name}.windows"));
        let late = lines(&format!("{name}.late"));
        let dropped_by_flink: Vec<&str> = late
            .iter()
            .filter(|line| line.ends_with(",yes"))
            .filter_map(|line| line.split(',').next())
            .collect();
        println!(
            "{log:<6} {bound_min:>5} {lateness_min:>8} {:>5} {:>5} {:>5} {:>5} {:>5} {:>8} {left_out:>5} {:>5}",
            ours.len(),
            sql.len(),
            equal(&ours, &sql),
            flink.len(),
            equal(&revised, &flink),
            dropped.len(),
            dropped_by_flink.len()
        );
        assert!(ours == sql, "{name}: the table is not that of SQL");
        assert!(revised == flink, "{name}: the table is not Flink's");
        assert_eq!(left_out, dropped.len() as i64, "{name}: dropped records that SQL doesn't know");
        assert_eq!(dropped.join(" "), dropped_by_flink.join(" "), "{name}: dropped, by offset");
        let empty = format!("TRUNCATE {RESULTS}, {DROPPED}");
        client.batch_execute(&empty).await.expect("the tables can be emptied");
    }
}

#[test]
fn each_log_on_one_partition_is_that_of_sql_and_of_flink() {
    with_rig(async |rig| {
        println!("rows and dropped records of the job, of SQL, and of Flink; minutes");
        println!("log    bound lateness   job   SQL equal Flink equal dropped:   SQL Flink");
        for log in ["calm", "storm", "edges"] {
            compare(rig, log).await;
        }
    });
}

#[test]
fn the_storm_week_on_three_partitions_is_that_of_sql() {
    with_rig(async |rig| {
        let mut config = prepare(rig, "storm", 3).await;
        config.board.bound = Duration::from_secs(15 * 60);
        let client = rig.database.connect().await;
        let Made { rows, dropped } = make(&client, &config).await;
        let ours: Vec<String> = rows.into_iter().map(|(row, _)| row).collect();
        let (sql, left_out) = ask_sql(&client, &config.topic).await;
        println!(
            "storm week, three partitions: {} rows, SQL {}, equal {}; {} dropped, of {left_out} SQL knows",
            ours.len(),
            sql.len(),
            equal(&ours, &sql),
            dropped.len()
        );
        assert!(ours == sql, "the table is not that of SQL");
        assert_eq!(left_out, dropped.len() as i64, "dropped records that SQL doesn't know");
    });
}
