//! Step 8: the job, from a topic into the tables.
//!
//! - Every record is in a result, in a window that has not fired, dropped or a dead letter.
//! - The table says what a `GROUP BY` says over the records that were not dropped, and on one
//!   partition what Apache Flink says.
//! - At the end of its input every window fires; a stop fires nothing.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::time::Duration;

use flights::Flight;
use flights::weeks::Week;
use lab01::event::encode;
use lab02::batch::BatchLimits;
use lab05::board::BoardConfig;
use lab05::firing::WindowResult;
use lab05::input::{Input, InputError, Until};
use lab05::job::{BETWEEN_LOOKS, JobConfig, JobError, Progress, Row, TURN_RECORDS, Work, run};
use lab05::tables::{DROPPED, RESULTS, TableError};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};

use testkit::{TestRig, rule, until, with_kafka, with_rig};
use timeline::Timeline;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_postgres::{Client, Transaction};
use tokio_util::sync::CancellationToken;

use super::at_hand::{HOUR, at, counted, flight, hour_from, minutes};

/// So long may a job take that ends by itself.
const BOUND: Duration = Duration::from_secs(20);

/// No batch waits for so long in these tests.
const LONG: Duration = Duration::from_secs(3_600);

const STORM: [(u64, &str, &str); 2] = [
    (0, include_str!("flink/storm-15-0.windows.csv"), include_str!("flink/storm-15-0.late.csv")),
    (60, include_str!("flink/storm-15-60.windows.csv"), include_str!("flink/storm-15-60.late.csv")),
];

/// Timestamp and payload of a record.
type Payload = (i64, Vec<u8>);

fn payload_of(flight: &Flight) -> Payload {
    (flight.departed_ms(), encode(flight).expect("it is a flight"))
}

/// Puts records on a partition, in this order.
async fn put(rig: &TestRig, topic: &str, partition: i32, records: &[Payload]) {
    put_in_batches(rig, topic, partition, records, 10_000).await;
}

/// Does the same, in batches of at most so many records: a reader is given whole batches.
async fn put_in_batches(
    rig: &TestRig,
    topic: &str,
    partition: i32,
    records: &[Payload],
    batch_records: usize,
) {
    let mut settings = rig.kafka.client();
    settings.set("enable.idempotence", "true").set("linger.ms", "1");
    settings.set("batch.num.messages", batch_records.to_string());
    settings.set("message.timeout.ms", BOUND.as_millis().to_string());
    let producer: FutureProducer = settings.create().expect("the settings are good");
    let mut deliveries = Vec::new();
    for (timestamp_ms, payload) in records {
        let record = FutureRecord::<(), _>::to(topic)
            .partition(partition)
            .timestamp(*timestamp_ms)
            .payload(payload);
        deliveries.push(producer.send_result(record).map_err(|(error, _)| error));
    }
    for delivery in deliveries {
        let answer = delivery.expect("there is room").await.expect("it is answered");
        answer.map_err(|(error, _)| error).expect("the broker takes it");
    }
}

/// Puts flights on the partitions that their airports have in this course.
async fn put_by_airport(rig: &TestRig, topic: &str, flights: &[Flight]) {
    for partition in [0, 1] {
        let of_partition =
            flights.iter().filter(|flight| (flight.origin != "LGA") == (partition == 1));
        put(rig, topic, partition, &of_partition.map(payload_of).collect::<Vec<_>>()).await;
    }
}

/// A job on a new topic.
async fn job(rig: &TestRig, partitions: i32) -> JobConfig {
    let mut kafka = rig.kafka.client();
    // By default a broker keeps an answer back for half a second when there are no records.
    kafka.set("fetch.wait.max.ms", "10");
    JobConfig {
        kafka,
        topic: rig.kafka.create_topic("flights", partitions).await,
        dead_letter_topic: rig.kafka.create_topic("dead", 1).await,
        database: rig.database.url().parse().expect("the rig's address can be read"),
        board: BoardConfig {
            window: HOUR,
            bound: minutes(15),
            allowed_lateness: Duration::ZERO,
            idle_after: None,
            allowed_ahead: HOUR,
        },
        write: BatchLimits { items: NonZeroUsize::new(100).expect("it is not 0"), age: LONG },
        until: Until::TheEnd,
    }
}

/// Runs the job to the end of its topic, within a bound.
async fn run_to_the_end(config: &JobConfig) -> Result<Progress, JobError> {
    let stop = CancellationToken::new();
    let run = async { run(config, &stop, &mut |_| {}).await };
    rule("A job that reads to the end of a topic ends.")
        .ask("When is all read that the topic held at the start? Some partitions hold nothing.")
        .within(BOUND, run)
        .await
}

async fn done(config: &JobConfig) -> Progress {
    rule("The job runs.").succeeds(run_to_the_end(config).await)
}

async fn number(client: &Client, question: &str) -> i64 {
    client.query_one(question, &[]).await.expect("the tables can be read").get(0)
}

/// The records in the latest revisions of all results.
async fn in_results(client: &Client) -> i64 {
    number(client, &format!("SELECT coalesce(sum(count), 0)::bigint FROM {RESULTS}")).await
}

async fn in_dropped(client: &Client) -> i64 {
    number(client, &format!("SELECT count(*) FROM {DROPPED}")).await
}

/// The records that a topic of one partition holds.
fn on_topic(rig: &TestRig, topic: &str) -> i64 {
    let consumer: BaseConsumer = rig.kafka.client().create().expect("the settings are good");
    let (first, end) = consumer.fetch_watermarks(topic, 0, BOUND).expect("the broker answers");
    end - first
}

/// Every record is in one place, and in one only.
async fn nothing_is_lost(rig: &TestRig, config: &JobConfig, client: &Client, now: &Progress) {
    let (results, dropped) = (in_results(client).await, in_dropped(client).await);
    let dead = on_topic(rig, &config.dead_letter_topic);
    let open = now.in_open_windows as i64;
    rule("Read is what is in results, in open windows, dropped, and dead letters: nothing else.")
        .ask("Which of them has one too few or too many? A record that the client gave out is read, or lost.")
        .holds(
            results + open + dropped + dead == now.read as i64,
            format!("{results} in results, {open} in open windows, {dropped} dropped, {dead} dead, of {} read", now.read),
        );
}

/// The rows of the table as Flink's file has them, but for the number of revisions.
async fn result_rows(client: &Client) -> Vec<String> {
    let question = format!(
        "SELECT concat_ws(',', \
             to_char(window_start AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), \
             to_char(window_end AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), \
             origin, count, sum_delay_min, to_char(mean_delay_min, 'FM999990.000000'), \
             worst_delay_min, over_15_min, revision) \
         FROM {RESULTS} ORDER BY window_start, origin COLLATE \"C\""
    );
    let rows = client.query(&question, &[]).await.expect("the table can be read");
    rows.iter().map(|row| row.get(0)).collect()
}

/// The lines of a fixture without its comments and its titles.
fn rows_of(fixture: &'static str) -> Vec<&'static str> {
    fixture.lines().filter(|line| !line.starts_with('#')).skip(1).collect()
}

/// The first row in which the two differ, ours and Flink's.
fn first_difference(ours: &[String], flinks: &[&str]) -> (String, String) {
    let row = |index: usize| {
        let ours = ours.get(index).map_or("no further row", String::as_str);
        (ours.to_owned(), flinks.get(index).copied().unwrap_or("no further row").to_owned())
    };
    let mut rows = (0..ours.len().max(flinks.len())).map(row);
    rows.find(|(ours, flinks)| ours != flinks).unwrap_or_default()
}

/// Puts all records of the topic into a table, partition by partition, and asks PostgreSQL itself
/// for the windows of those that were not dropped. Gives the number of rows, and of those that differ.
async fn against_sql(client: &Client, topic: &str, partitions: &[Vec<Flight>]) -> (i64, i64) {
    let table = "CREATE TABLE all_records (partition integer, record_offset bigint, \
                 scheduled timestamptz, origin text, delay_min integer)";
    client.batch_execute(table).await.expect("a table can be made");
    for (partition, flights) in (0_i32..).zip(partitions) {
        let offsets: Vec<i64> = (0..flights.len() as i64).collect();
        let column = |of: fn(&Flight) -> i64| flights.iter().map(of).collect::<Vec<i64>>();
        let origins: Vec<&str> = flights.iter().map(|flight| &*flight.origin).collect();
        let delays: Vec<i32> = flights.iter().map(|flight| flight.delay_min).collect();
        client
            .execute(
                "INSERT INTO all_records SELECT $1, o, to_timestamp(s / 1000), origin, d \
                 FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::integer[]) AS r (o, s, origin, d)",
                &[&partition, &offsets, &column(|flight| flight.scheduled_ms), &origins, &delays],
            )
            .await
            .expect("the records can be written");
    }
    let batch = format!(
        "SELECT date_trunc('hour', scheduled, 'UTC') AS window_start, origin, count(*) AS count, \
             sum(delay_min) AS sum_delay_min, max(delay_min) AS worst_delay_min, \
             count(*) FILTER (WHERE delay_min > 15) AS over_15_min \
         FROM all_records AS a WHERE NOT EXISTS (SELECT FROM {DROPPED} AS d WHERE \
             d.topic = '{topic}' AND d.partition = a.partition AND d.record_offset = a.record_offset) \
         GROUP BY 1, 2"
    );
    let kept = format!(
        "SELECT window_start, origin, count, sum_delay_min, worst_delay_min, over_15_min FROM {RESULTS}"
    );
    let differ = format!(
        "SELECT count(*) FROM ((({batch}) EXCEPT ({kept})) UNION ALL (({kept}) EXCEPT ({batch}))) AS d"
    );
    (
        number(client, &format!("SELECT count(*) FROM {RESULTS}")).await,
        number(client, &differ).await,
    )
}

#[test]
fn the_storm_week_on_one_partition_is_flinks() {
    with_rig(async |rig| {
        let storm = Week::Storm.load().departed;
        let mut config = job(rig, 1).await;
        put(rig, &config.topic, 0, &storm.iter().map(payload_of).collect::<Vec<_>>()).await;
        let client = rig.database.connect().await;
        for (lateness_min, windows, late) in STORM {
            config.board.allowed_lateness = minutes(lateness_min);
            let end = done(&config).await;
            let title = format!("storm week, bound 15 min, allowed lateness {lateness_min} min");
            let (ours, flinks) = (result_rows(&client).await, rows_of(windows));
            let equal = ours.iter().filter(|row| flinks.contains(&row.as_str())).count();
            let question = format!("SELECT record_offset FROM {DROPPED} ORDER BY record_offset");
            let dropped = client.query(&question, &[]).await.expect("the table can be read");
            let dropped: Vec<String> =
                dropped.iter().map(|row| row.get::<_, i64>(0).to_string()).collect();
            let by_flink: Vec<&str> = rows_of(late)
                .iter()
                .filter(|row| row.ends_with(",yes"))
                .filter_map(|row| row.split(',').next())
                .collect();
            println!(
                "{title}: {} rows, Flink {}, equal {equal}; dropped {}, Flink {}",
                ours.len(),
                flinks.len(),
                dropped.len(),
                by_flink.len()
            );
            let (first_of_ours, first_of_flinks) = first_difference(&ours, &flinks);
            rule("On one partition the table is Flink's, row by row: figures and revisions.")
                .picture(format!(
                    "{title}: {} rows, Flink has {}, equal are {equal}\n\
                     start, end, key, count, sum, mean, worst, over 15 min, revisions",
                    ours.len(),
                    flinks.len()
                ))
                .ask("The board alone agrees with Flink. What does the job keep from the table?")
                .same_bytes(first_of_ours, first_of_flinks);
            rule("On one partition the dropped records are Flink's, offset by offset.")
                .picture(&title)
                .ask("The board says of each record whether it was dropped. Who is told of it?")
                .same_bytes(dropped.join(" "), by_flink.join(" "));
            nothing_is_lost(rig, &config, &client, &end).await;
            let (rows, differ) =
                against_sql(&client, &config.topic, std::slice::from_ref(&storm)).await;
            println!("{title}: {rows} rows, {differ} differ from SQL");
            rule("The table is a `GROUP BY` over the records that were not dropped.")
                .same(differ, 0);
            let empty = format!("TRUNCATE {RESULTS}, {DROPPED}; DROP TABLE all_records");
            client.batch_execute(&empty).await.expect("the tables can be emptied");
        }
    });
}

#[test]
fn three_partitions_are_a_group_by_over_what_was_not_dropped() {
    with_rig(async |rig| {
        let storm = Week::Storm.load().departed;
        let config = job(rig, 3).await;
        put_by_airport(rig, &config.topic, &storm).await;
        let end = done(&config).await;
        let client = rig.database.connect().await;
        let (lga, others): (Vec<Flight>, Vec<Flight>) =
            storm.iter().cloned().partition(|flight| flight.origin == "LGA");
        let (rows, differ) = against_sql(&client, &config.topic, &[lga, others]).await;
        println!(
            "storm week, three partitions: {rows} rows, {differ} differ from SQL, {} dropped",
            in_dropped(&client).await
        );
        rule("Over several partitions too the table is a `GROUP BY` over what was not dropped.")
            .ask("Which records were dropped depends on the interleaving. Is each of them in the table of the dropped, with its own partition and offset?")
            .holds(differ == 0 && rows > 300, format!("{rows} rows, {differ} differ"));
        rule("All that was read is counted.").same(end.read, storm.len() as u64);
        nothing_is_lost(rig, &config, &client, &end).await;
    });
}

#[test]
fn an_empty_partition_that_has_ended_is_not_waited_for() {
    with_rig(async |rig| {
        let mut config = job(rig, 2).await;
        config.write.items = NonZeroUsize::MIN;
        let flights = [
            flight("EWR", at("06:10"), 0),
            flight("EWR", at("07:30"), 0),
            flight("EWR", at("06:20"), 0),
        ];
        put(rig, &config.topic, 1, &flights.iter().map(payload_of).collect::<Vec<_>>()).await;
        let end = done(&config).await;
        let mut timeline = Timeline::with_watermarks(&["of 1"])
            .heading("windows of 1 h · bound 15 min · partition 0 is empty, all records are of 1");
        for (clock, watermark) in [("06:10", "05:55"), ("07:30", "07:15"), ("06:20", "07:15")] {
            timeline.record("", at(clock)).watermark(Some(at(watermark)));
        }
        rule("A partition that is at its end is not waited for: the watermark of the others counts.")
            .picture(timeline.to_string())
            .ask("The third record comes behind 07:15. What has to be known of partition 0 for it to be dropped?")
            .same_bytes(
                format!("{} read, {} dropped", end.read, end.counts.dropped.window_gone),
                "3 read, 1 dropped",
            );
    });
}

#[test]
fn what_is_no_flight_is_a_dead_letter_and_the_job_goes_on() {
    with_rig(async |rig| {
        let config = job(rig, 1).await;
        let good = payload_of(&flight("EWR", at("06:10"), 0));
        let bad = (good.0, b"{}".to_vec());
        let never = (-2, good.1.clone());
        put(rig, &config.topic, 0, &[bad.clone(), good.clone(), bad.clone(), good, never, bad])
            .await;
        let end = done(&config).await;
        let client = rig.database.connect().await;
        rule("A record that is no flight, or not of a year in which one may be, is a dead letter.")
            .picture("offset 0: {}, 1: a flight, 2: {}, 3: a flight, 4: a flight of before 1970, 5: {}")
            .ask("The last record of the partition is a poison pill. Has the partition ended all the same?")
            .same_bytes(
                format!("{} read, {} dead letters", end.read, end.dead_letters),
                "6 read, 4 dead letters",
            );
        rule("At the end every window fires, so the flights around them are in the table.")
            .ask("No watermark comes behind the last record. What makes the last windows fire?")
            .same_bytes(format!("{} in results", in_results(&client).await), "2 in results");
        nothing_is_lost(rig, &config, &client, &end).await;
    });
}

#[test]
fn an_empty_topic_is_an_end() {
    with_rig(async |rig| {
        let config = job(rig, 3).await;
        let end = done(&config).await;
        rule("A topic without a record is read at once, and has no results.")
            .same(end, Progress::default());
    });
}

/// Flights on one partition, one for every ten minutes from 06:00.
fn ten_minutes_apart(count: usize) -> Vec<Payload> {
    let six_ms = at("06:00");
    let at_ms = |index: usize| six_ms + index as i64 * 600_000;
    (0..count).map(|index| payload_of(&flight("EWR", at_ms(index), 0))).collect()
}

/// Waits until the job has read so many records and written what has fired.
async fn until_read(told: &mut UnboundedReceiver<Progress>, records: u64) -> Progress {
    let seen = async {
        loop {
            let now = told.recv().await.expect("the job is at work");
            if now.read >= records && now.held_rows == 0 {
                return now;
            }
        }
    };
    rule(format!("The job reads {records} records, and writes what has fired when that is due."))
        .ask("What has fired waits in the batch. Who looks whether it is due, also when no record comes?")
        .within(BOUND, seen)
        .await
}

#[test]
fn a_stop_fires_nothing_and_writes_what_has_fired() {
    with_rig(async |rig| {
        let mut config = job(rig, 1).await;
        config.until = Until::Stopped;
        put(rig, &config.topic, 0, &ten_minutes_apart(16)).await;
        let stop = CancellationToken::new();
        let stopped = async {
            run(&config, &stop, &mut |now| {
                if now.read == 16 {
                    stop.cancel();
                }
            })
            .await
        };
        let end = rule("A job that is stopped ends.").within(BOUND, stopped).await;
        let end = rule("A job that is stopped ends in good order.").succeeds(end);
        let client = rig.database.connect().await;
        rule("A stop fires nothing, and what has fired before is written.")
            .picture("a flight every ten minutes from 06:00 to 08:30, bound 15 min: the watermark is 08:15")
            .ask("06:00 and 07:00 have ended. Is 08:00 complete because somebody pressed Ctrl-C?")
            .same_bytes(
                format!(
                    "{} in results, {} in open windows, {} rows held",
                    in_results(&client).await,
                    end.in_open_windows,
                    end.held_rows
                ),
                "12 in results, 4 in open windows, 0 rows held",
            );
        nothing_is_lost(rig, &config, &client, &end).await;
    });
}

#[test]
fn an_input_that_is_read_to_its_end_has_ended_whoever_stops_the_job_then() {
    with_rig(async |rig| {
        let config = job(rig, 1).await;
        put(rig, &config.topic, 0, &ten_minutes_apart(16)).await;
        let end = stopped_when(&config, |now| now.read == 16).await;
        let client = rig.database.connect().await;
        rule("An input that is read to its end has ended: a stop at that moment takes nothing back.")
            .picture("16 flights from 06:00 to 08:30 are read to the end; then somebody presses Ctrl-C")
            .ask("Both are true now: all is read, and the job is to stop. What would the open window still wait for?")
            .same_bytes(in_results_and_open(&client, &end).await, "16 in results, 0 in open windows");
    });
}

#[test]
fn an_input_that_has_an_end_has_not_ended_when_the_job_is_stopped_before_it() {
    with_rig(async |rig| {
        let config = job(rig, 1).await;
        let flights = vec![payload_of(&flight("EWR", at("06:10"), 0)); 2 * TURN_RECORDS];
        put(rig, &config.topic, 0, &flights).await;
        let end = stopped_when(&config, |now| now.read > 0).await;
        let client = rig.database.connect().await;
        rule("An input has ended when it is read to its end, and not when somebody stops the job before.")
            .picture(format!("{} flights of 06:10; Ctrl-C behind the first turn, of {TURN_RECORDS} at most", flights.len()))
            .ask("Why did your loop end: was everything read, or was it told to stop? Who asks behind the loop?")
            .holds(
                in_results(&client).await == 0 && end.in_open_windows == end.read,
                "a result of an hour of which a part was not read",
            );
    });
}

/// Runs the job, and stops it when it has come so far.
async fn stopped_when(config: &JobConfig, far_enough: impl Fn(&Progress) -> bool) -> Progress {
    let stop = CancellationToken::new();
    let stopped = async {
        run(config, &stop, &mut |now| {
            if far_enough(now) {
                stop.cancel();
            }
        })
        .await
    };
    let end = rule("A job that is stopped ends.").within(BOUND, stopped).await;
    rule("A job that is stopped ends in good order.").succeeds(end)
}

async fn in_results_and_open(client: &Client, end: &Progress) -> String {
    let results = in_results(client).await;
    format!("{results} in results, {} in open windows", end.in_open_windows)
}

/// Three hours of a topic, from this instant on: at the bound and the lateness of the test below, one
/// flight corrects the first hour, and one comes when that is gone. Between them lies what is no flight.
/// In the end the second hour has fired and is kept, and the third is open.
fn three_hours_with_all_fates(from_ms: i64) -> Vec<Payload> {
    let of_slot = |slot_min: i64, delay_min| {
        payload_of(&flight("EWR", from_ms + slot_min * 60_000, delay_min))
    };
    let mut records = [(10, 0), (40, 0), (80, 0), (50, 30), (110, 0), (20, 90), (140, 0)]
        .map(|(slot_min, delay_min)| of_slot(slot_min, delay_min))
        .to_vec();
    records.insert(4, (from_ms, b"{}".to_vec()));
    records
}

#[test]
fn at_every_moment_each_record_is_in_one_place() {
    with_rig(async |rig| {
        let mut config = job(rig, 1).await;
        config.until = Until::Stopped;
        config.write.age = Duration::from_millis(1);
        config.board.allowed_lateness = minutes(30);
        let client = rig.database.connect().await;
        let stop = CancellationToken::new();
        let (tell, mut told) = unbounded_channel();
        let tell = &mut |now: &Progress| tell.send(*now).expect("the test listens");
        let job = run(&config, &stop, tell);
        let look = async {
            let (six_ms, three_hours_ms) = (at("06:00"), 10_800_000);
            for chunk in 1..=4 {
                let from_ms = six_ms + (chunk - 1) * three_hours_ms;
                put(rig, &config.topic, 0, &three_hours_with_all_fates(from_ms)).await;
                let now = until_read(&mut told, 8 * chunk as u64).await;
                nothing_is_lost(rig, &config, &client, &now).await;
                rule("Each record is in the place where it belongs.")
                    .picture(format!(
                        "{chunk} times three hours: 3 flights of the first, one of them as a correction, 2 of the second,\n\
                         1 of the third, which is open in the end; one flight of the first when that is gone;\n\
                         one record that is no flight"
                    ))
                    .ask("The sum is right. Which two of the places have what belongs to the other?")
                    .same_bytes(
                        format!(
                            "{} in results, {} in open windows, {} dropped, {} dead",
                            in_results(&client).await,
                            now.in_open_windows,
                            in_dropped(&client).await,
                            now.dead_letters
                        ),
                        format!("{} in results, 1 in open windows, {chunk} dropped, {chunk} dead", 6 * chunk - 1),
                    );
                rule("A record that is read is no lag any more.").same(now.lag, 0);
            }
            stop.cancel();
        };
        let (end, ()) = tokio::join!(job, look);
        rule("The job ends in good order.").succeeds(end);
    });
}

#[test]
fn the_gauge_of_kept_windows_rises_and_falls() {
    with_rig(async |rig| {
        let mut config = job(rig, 1).await;
        config.until = Until::Stopped;
        config.write.age = Duration::from_millis(1);
        config.board.allowed_lateness = minutes(120);
        let stop = CancellationToken::new();
        let (tell, mut told) = unbounded_channel();
        let tell = &mut |now: &Progress| tell.send(*now).expect("the test listens");
        let job = run(&config, &stop, tell);
        let watch = async {
            let mut timeline = Timeline::with_watermarks(&["watermark"])
                .heading("windows of 1 h · bound 15 min · allowed lateness 2 h");
            for (clock, open, kept) in
                [("06:10", 1, 1), ("07:20", 1, 2), ("08:20", 1, 3), ("11:20", 1, 1)]
            {
                put(rig, &config.topic, 0, &[payload_of(&flight("EWR", at(clock), 0))]).await;
                let now = until_read(&mut told, timeline.len() as u64 + 1).await;
                let gauge = format!("open {}, kept {}", now.open_windows, now.kept_windows);
                timeline.record("", at(clock)).watermark(now.watermark_ms).mark(&gauge);
                rule("The gauge of kept windows rises with each window, and falls when windows are gone.")
                    .picture(timeline.to_string())
                    .ask("Which windows may still be corrected? They are kept, and not only those that are open.")
                    .same_bytes(gauge, format!("open {open}, kept {kept}"));
            }
            stop.cancel();
        };
        let (end, ()) = tokio::join!(job, watch);
        rule("The job ends in good order.").succeeds(end);
    });
}

#[test]
fn a_partition_that_is_added_is_read_from_its_first_record() {
    with_rig(async |rig| {
        let mut config = job(rig, 1).await;
        config.until = Until::Stopped;
        let client = rig.database.connect().await;
        let stop = CancellationToken::new();
        let (tell, mut told) = unbounded_channel();
        let tell = &mut |now: &Progress| tell.send(*now).expect("the test listens");
        let job = run(&config, &stop, tell);
        let add = async {
            put(rig, &config.topic, 0, &ten_minutes_apart(2)).await;
            until_read(&mut told, 2).await;
            rig.kafka.grow_topic(&config.topic, 2).await;
            put(rig, &config.topic, 1, &ten_minutes_apart(3)).await;
            let now = until_read(&mut told, 5).await;
            nothing_is_lost(rig, &config, &client, &now).await;
            stop.cancel();
        };
        let (end, ()) = tokio::join!(job, add);
        let end = rule("The job ends in good order.").succeeds(end);
        rule("A partition that is added while the job runs is read, from its first record on.")
            .ask("A consumer that was assigned its partitions hears of no others. Who looks?")
            .same(end.read, 5);
    });
}

#[test]
fn a_partition_that_is_added_is_waited_for_before_its_first_record() {
    with_rig(async |rig| {
        let mut config = job(rig, 1).await;
        config.until = Until::Stopped;
        config.write.age = Duration::from_millis(1);
        let stop = CancellationToken::new();
        let (tell, mut told) = unbounded_channel();
        let tell = &mut |now: &Progress| tell.send(*now).expect("the test listens");
        let job = run(&config, &stop, tell);
        let add = async {
            let records = ten_minutes_apart(1_000);
            put(rig, &config.topic, 0, &records[..2]).await;
            let mut now = until_read(&mut told, 2).await;
            rig.kafka.grow_topic(&config.topic, 2).await;
            let stands_still = async {
                loop {
                    let before = now;
                    let next = usize::try_from(now.read).expect("a small number");
                    put(rig, &config.topic, 0, &records[next..=next]).await;
                    now = until_read(&mut told, now.read + 1).await;
                    if now.watermark_ms == before.watermark_ms {
                        return now;
                    }
                }
            };
            let now = rule(
                "Until a partition that was added has spoken, the watermark stands still.",
            )
            .picture(
                "partition 0 goes on every ten minutes, partition 1 is there and has no record yet",
            )
            .ask("The input reads the new partition. Who has told the board of it?")
            .within(BOUND, stands_still)
            .await;
            put(rig, &config.topic, 1, &records[..1]).await;
            put(rig, &config.topic, 1, &records[999..]).await;
            let after = until_read(&mut told, now.read + 2).await;
            let moved = after.watermark_ms > now.watermark_ms;
            rule("When the partition has spoken, the watermark goes on.").same(moved, true);
            stop.cancel();
        };
        let (end, ()) = tokio::join!(job, add);
        rule("The job ends in good order.").succeeds(end);
    });
}

#[test]
fn a_lost_database_is_a_sentence_and_whole_batches_are_written() {
    with_rig(async |rig| {
        let mut config = job(rig, 1).await;
        config.write.items = NonZeroUsize::new(2).expect("it is not 0");
        config.database.application_name("the-job");
        put(rig, &config.topic, 0, &ten_minutes_apart(60)).await;
        let client = rig.database.connect().await;
        // What the database does at the third result, as if somebody had ended it there.
        lab05::tables::ensure_tables(&client).await.expect("the tables can be made");
        let fault = format!(
            "CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                 PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$; \
             CREATE TRIGGER fault BEFORE INSERT ON {RESULTS} FOR EACH ROW \
                 WHEN (extract(hour FROM NEW.window_start AT TIME ZONE 'UTC') = 9) \
                 EXECUTE FUNCTION fault()"
        );
        client.batch_execute(&fault).await.expect("the fault can be made");
        rule("A job that loses its database says so.").refuses(
            run_to_the_end(&config).await,
            "an error of the table",
            |error| {
                matches!(
                    error,
                    JobError::Table(TableError::Database { .. } | TableError::NotConfirmed(_))
                )
            },
        );
        rule("Whole batches are written, or nothing of them.")
            .picture("windows from 06:00 on, two results a batch; the database goes at 09:00")
            .ask("08:00 stands in one batch with 09:00.")
            .same(number(&client, &format!("SELECT count(*) FROM {RESULTS}")).await, 2);
    });
}

#[test]
fn a_topic_is_read_from_the_first_record_that_it_still_has() {
    with_rig(async |rig| {
        let config = job(rig, 1).await;
        put(rig, &config.topic, 0, &ten_minutes_apart(5)).await;
        rig.kafka.delete_before(&config.topic, 0, 2).await;
        rule("A topic is read from the first record that it still has, and that is no fault.")
            .picture("5 records; those before offset 2 were deleted before the job began")
            .same(done(&config).await.read, 3);
    });
}

#[test]
fn records_deleted_under_the_reader_are_no_reason_to_jump() {
    with_rig(async |rig| {
        let mut config = job(rig, 1).await;
        // Each record in a batch of its own, and a client that holds as few as it can.
        put_in_batches(rig, &config.topic, 0, &ten_minutes_apart(60), 1).await;
        config.kafka.set("queued.min.messages", "1").set("fetch.message.max.bytes", "100");
        let stop = CancellationToken::new();
        let mut is_first = true;
        let tell = &mut |now: &Progress| {
            if now.read > 0 && std::mem::take(&mut is_first) {
                futures::executor::block_on(rig.kafka.delete_before(&config.topic, 0, 50));
            }
        };
        let outcome =
            rule("The job comes to an end.").within(BOUND, run(&config, &stop, tell)).await;
        rule("A job whose next records were deleted says so, and does not jump.")
            .picture("60 records; behind the first turn, all up to offset 50 are deleted")
            .ask("`auto.offset.reset` says where a client goes when its offset is not there. Must it go anywhere?")
            .refuses(outcome, "Input(Gone)", |error| matches!(error, JobError::Input(InputError::Gone { .. })));
    });
}

#[test]
fn what_cannot_be_used_is_one_sentence() {
    with_rig(async |rig| {
        let good = job(rig, 1).await;
        let missing = JobConfig { topic: rig.kafka.topic("missing"), ..good.clone() };
        rule("A topic that is not there is named.").refuses(
            run_to_the_end(&missing).await,
            "Input(NoTopic)",
            |error| {
                matches!(error, JobError::Input(InputError::Broker(_)))
                    && error.to_string().ends_with("does not exist")
            },
        );
        let no_letters =
            JobConfig { dead_letter_topic: rig.kafka.topic("nowhere"), ..good.clone() };
        rule("A topic of dead letters that is not there is named before anything is read.")
            .refuses(run_to_the_end(&no_letters).await, "DeadLetterTopic", |error| {
                matches!(error, JobError::DeadLetterTopic(_))
            });
        let mut no_window = good.clone();
        no_window.board.window = Duration::ZERO;
        rule("Windows without a length are refused.").refuses(
            run_to_the_end(&no_window).await,
            "Size",
            |error| matches!(error, JobError::Size(_)),
        );
        let nobody = "postgresql://nobody@127.0.0.1:1/none".parse().expect("it is an address");
        let gone = JobConfig { database: nobody, ..good.clone() };
        rule("A database that is not there is an error.").refuses(
            run_to_the_end(&gone).await,
            "Database",
            |error| matches!(error, JobError::Database(_)),
        );
        let client = rig.database.connect().await;
        client
            .batch_execute(&format!("DROP TABLE {DROPPED}; CREATE TABLE {DROPPED} (a text)"))
            .await
            .expect("it can be made");
        rule("A table of another shape is refused.").refuses(
            run_to_the_end(&good).await,
            "Table(OtherShape)",
            |error| matches!(error, JobError::Table(TableError::OtherShape { table: DROPPED, .. })),
        );
    });
}

#[test]
fn given_a_bounded_input_ends_where_the_topic_ended_at_the_start() {
    with_kafka(async |kafka| {
        let topic = kafka.create_topic("flights", 2).await;
        let input = Input::open(&kafka.client(), &topic, Until::TheEnd).await;
        let input = rule("A topic that is there can be opened.").succeeds(input);
        rule("An empty topic is at its end at once, and what comes later does not belong to it.")
            .same(
                (input.is_at_end(), input.ended(), input.contains(0, 0)),
                (true, vec![0, 1], false),
            );
        let endless = Input::open(&kafka.client(), &topic, Until::Stopped).await;
        let endless = rule("A topic that is there can be opened.").succeeds(endless);
        rule("An input without an end has none, and all that comes belongs to it.").same(
            (endless.is_at_end(), endless.ended(), endless.contains(0, 0)),
            (false, vec![], true),
        );
        until(
            BOUND,
            "no lag",
            async || if endless.lag() == 0 { Ok(()) } else { Err("some".to_owned()) },
        )
        .await;
    });
}

#[test]
fn a_partition_that_falls_silent_is_not_waited_for() {
    with_rig(async |rig| {
        let mut config = job(rig, 2).await;
        config.until = Until::Stopped;
        config.write.items = NonZeroUsize::MIN;
        config.board.idle_after = Some(Duration::from_millis(500));
        let flights = [flight("EWR", at("06:10"), 0), flight("EWR", at("07:20"), 0)];
        put(rig, &config.topic, 0, &flights.map(|flight| payload_of(&flight))).await;
        let stop = CancellationToken::new();
        let (tell, mut told) = unbounded_channel();
        let tell = &mut |now: &Progress| tell.send(*now).expect("the test listens");
        let job = run(&config, &stop, tell);
        let wait = async {
            let fired = async {
                while told.recv().await.expect("the job is at work").written.results == 0 {}
            };
            rule("A partition that has been silent for `idle_after` is not waited for, also while no record comes.")
                .picture("partition 0: 06:10, 07:20; partition 1: nothing; idle after 500 ms, bound 15 min")
                .ask("No record will say that time has passed. Who tells the board, and who takes what it says to that?")
                .within(BOUND, fired)
                .await;
            stop.cancel();
        };
        let (end, ()) = tokio::join!(job, wait);
        let end = rule("The job ends in good order.").succeeds(end);
        rule("What fires when a partition becomes idle is written like any other result.")
            .picture("a partition becomes idle, and one window fires; then the job is stopped, which fires nothing")
            .ask("Results written, and the watermark in milliseconds: what else fired, and when?")
            .same((end.written.results, end.watermark_ms), (1, Some(at("07:05"))));
    });
}

/// Puts flights on a partition in one transaction: behind them lies the mark of its end, which has an
/// offset and is no record.
async fn put_in_a_transaction(rig: &TestRig, topic: &str, partition: i32, records: &[Payload]) {
    let mut settings = rig.kafka.client();
    settings.set("transactional.id", topic);
    let producer: FutureProducer = settings.create().expect("the settings are good");
    producer.init_transactions(BOUND).expect("the broker knows transactions");
    producer.begin_transaction().expect("none has begun");
    for (timestamp_ms, payload) in records {
        let record = FutureRecord::<(), _>::to(topic)
            .partition(partition)
            .timestamp(*timestamp_ms)
            .payload(payload);
        drop(producer.send_result(record).map_err(|(error, _)| error).expect("there is room"));
    }
    producer.commit_transaction(BOUND).expect("the broker takes it");
    // The commit is answered when it is decided. The mark is written a moment later, and until then
    // a reader of committed records finds the end before the first of them.
    until(BOUND, "the mark of the transaction behind its records", async || {
        let ends = rig.kafka.admin().inner().fetch_watermarks(topic, partition, BOUND);
        match ends.map_err(|error| error.to_string())? {
            (_, end) if end == records.len() as i64 + 1 => Ok(()),
            (_, end) => Err(format!("the end is at {end}")),
        }
    })
    .await;
}

#[test]
fn marks_of_transactions_are_no_records_to_wait_for() {
    with_rig(async |rig| {
        let config = job(rig, 1).await;
        put_in_a_transaction(rig, &config.topic, 0, &ten_minutes_apart(3)).await;
        let stop = CancellationToken::new();
        let run = async { run(&config, &stop, &mut |_| {}).await };
        let end = rule("A partition is at its end when the client says so, also where its last offset is no record.")
            .picture("offsets 0, 1, 2: flights; 3: the mark of a transaction; the end is at 4")
            .ask("No record will ever have offset 3. What does the client say instead of one?")
            .within(BOUND, run)
            .await;
        let end = rule("The job ends in good order.").succeeds(end);
        rule("All records are read, and the last window fires.")
            .same((end.read, end.written.results, end.in_open_windows), (3, 1, 0));
    });
}

#[test]
fn a_turn_takes_so_many_records_and_no_more() {
    with_rig(async |rig| {
        let config = job(rig, 1).await;
        put(rig, &config.topic, 0, &ten_minutes_apart(5 * TURN_RECORDS)).await;
        let stop = CancellationToken::new();
        let (mut before, mut most) = (0, 0);
        let tell = &mut |now: &Progress| {
            most = most.max(now.read - before);
            before = now.read;
        };
        let end = rule("A job that reads to the end of a topic ends.")
            .within(BOUND, run(&config, &stop, tell))
            .await;
        rule("The job ends in good order.").succeeds(end);
        rule("A turn takes `TURN_RECORDS` at most, then the job looks at the clock and at whether to stop.")
            .picture(format!(
                "{} records lie ready; `on_progress` is called after each turn",
                5 * TURN_RECORDS
            ))
            .ask("Where records come faster than you count them, when does a turn end?")
            .holds(most <= TURN_RECORDS as u64, "a turn with more");
    });
}

/// Takes three records. That the client is at an end is no record, and is left alone here.
async fn take_three(work: &mut Work) {
    let consumer = work.input.consumer();
    let take = async {
        let mut taken = 0;
        while taken < 3 {
            let Ok(message) = consumer.recv().await else { continue };
            rule("A record is taken.").succeeds(work.take(&message, Duration::ZERO).await);
            taken += 1;
        }
    };
    rule("Three records can be taken.").within(BOUND, take).await;
}

#[test]
fn a_record_behind_the_end_that_was_seen_at_the_start_is_not_taken() {
    with_rig(async |rig| {
        let config = job(rig, 1).await;
        let records = ten_minutes_apart(3);
        put(rig, &config.topic, 0, &records[..2]).await;
        rule("A job reads what its topic holds.").same(done(&config).await.read, 2);
        let mut work = Work::open(&config).await.expect("the same job once more");
        put(rig, &config.topic, 0, &records[2..]).await;
        take_three(&mut work).await;
        rule("A record behind the end that was seen at the start does not belong to the input.")
            .picture("at the start: offsets 0 and 1; the record with offset 2 comes later, and is given out by the client")
            .ask("Whether it is seen at all is a matter of luck. Who knows where the input ends?")
            .same(work.progress().read, 2);
    });
}

#[test]
fn behind_its_last_record_whatever_it_is_a_partition_has_ended() {
    with_rig(async |rig| {
        let config = job(rig, 2).await;
        rule("The job runs, and makes its tables.").same(done(&config).await.read, 0);
        let flights = ten_minutes_apart(2);
        let no_flight = (flights[1].0, b"{}".to_vec());
        put(rig, &config.topic, 0, &[flights[0].clone(), no_flight]).await;
        put(rig, &config.topic, 1, &flights[1..]).await;
        let mut work = Work::open(&config).await.expect("the same job once more");
        take_three(&mut work).await;
        rule("Behind its last record, whatever it is, a partition has ended, and nobody waits for it.")
            .picture("partition 0: a flight, then `{}`, which is none; partition 1: a flight; all three are taken")
            .ask("When is the board told of the end: for which records, and before or after the record itself?")
            .same(work.board.watermark().idle().clone(), BTreeSet::from([0, 1]));
    });
}

#[test]
fn each_row_that_is_handed_over_counts_as_written() {
    with_rig(async |rig| {
        let config = job(rig, 1).await;
        rule("The job runs, and makes its tables.").same(done(&config).await.read, 0);
        let mut work = Work::open(&config).await.expect("the same job once more");
        let of_revision = |revision, delays: &[i32]| {
            Row::Result(WindowResult {
                window: hour_from("06:00"),
                key: "EWR".to_owned(),
                delays: counted(delays),
                revision,
            })
        };
        for _ in 0..2 {
            let batch = vec![of_revision(1, &[0, 0]), of_revision(2, &[0, 0, 0])];
            rule("A batch is written.").succeeds(work.write(batch).await);
        }
        rule("Each row that is handed to the tables counts, also one that changes nothing there.")
            .picture("twice: one batch with revisions 1 and 2 of one row")
            .ask("The tables say how many rows have changed. What is `Progress::written`?")
            .same(work.progress().written.results, 4);
    });
}

#[test]
fn time_is_told_in_every_turn() {
    with_rig(async |rig| {
        const IDLE_AFTER: Duration = Duration::from_secs(1);

        let mut config = job(rig, 2).await;
        config.until = Until::Stopped;
        config.board.idle_after = Some(IDLE_AFTER);
        let all = 4 * TURN_RECORDS;
        put(rig, &config.topic, 0, &ten_minutes_apart(all)).await;
        let stop = CancellationToken::new();
        let mut has_watermark = Vec::new();
        let tell = &mut |now: &Progress| {
            if now.read > 0 {
                has_watermark.push(now.watermark_ms.is_some());
            }
            if has_watermark.len() == 1 {
                // So long does the first turn with records take, and the job's clock goes on.
                std::thread::sleep(IDLE_AFTER);
            }
            if now.read == all as u64 {
                stop.cancel();
            }
        };
        let end = rule("A job can be stopped.").within(BOUND, run(&config, &stop, tell)).await;
        rule("The job ends in good order.").succeeds(end);
        rule("The board is told the time in every turn, also while records lie ready.")
            .picture(format!(
                "partition 0: {all} records lie ready; partition 1: nothing; idle after 1 s\n\
                 the first turn with records takes a second"
            ))
            .ask("When does a job look at the clock that always has a record to take?")
            .holds(
                has_watermark.get(1) == Some(&true),
                "a board that still waits for partition 1 behind the second turn",
            );
    });
}

#[test]
fn a_bounded_input_ends_where_it_ended_however_long_the_job_takes() {
    with_rig(async |rig| {
        let config = job(rig, 1).await;
        rule("The job runs, and makes its tables.").same(done(&config).await.read, 0);
        put(rig, &config.topic, 0, &ten_minutes_apart(2 * TURN_RECORDS)).await;
        let mut other = rig.database.connect().await;
        let lock = other.transaction().await.expect("the database begins");
        hold_results(&lock).await;
        let add_meanwhile = async {
            rig.database
                .until_somebody_waits_for_a_lock(BOUND, "the job to wait for the table")
                .await;
            put(rig, &config.topic, 0, &ten_minutes_apart(5)).await;
            let pause = format!("SELECT pg_sleep({})", BETWEEN_LOOKS.as_secs());
            lock.batch_execute(&pause).await.expect("the database waits");
            lock.commit().await.expect("the table is free");
        };
        let (end, ()) = tokio::join!(run_to_the_end(&config), add_meanwhile);
        let end = rule("The job ends in good order.").succeeds(end);
        rule(
            "A bounded input ends where the topic ended at the start, however long the job takes.",
        )
        .picture(format!(
            "{} records; the database holds the job up for a second, and 5 records are added",
            2 * TURN_RECORDS
        ))
        .ask("`look` finds what was added since. For which of the two inputs is that wanted?")
        .same(end.read, 2 * TURN_RECORDS as u64);
    });
}

/// Takes the table of results, until the transaction ends.
async fn hold_results(transaction: &Transaction<'_>) {
    let hold = format!("LOCK TABLE {RESULTS} IN ACCESS EXCLUSIVE MODE");
    transaction.batch_execute(&hold).await.expect("nobody else holds it");
}

#[test]
fn a_job_that_waits_for_its_database_does_not_hear_silence() {
    with_rig(async |rig| {
        const HELD_S: u64 = 1;

        let config = job(rig, 1).await;
        rule("The job runs, and makes its tables.").same(done(&config).await.read, 0);
        let mut work = Work::open(&config).await.expect("the same job once more");
        let mut other = rig.database.connect().await;
        let lock = other.transaction().await.expect("the database begins");
        hold_results(&lock).await;
        let result = WindowResult {
            window: hour_from("06:00"),
            key: "EWR".to_owned(),
            delays: counted(&[0]),
            revision: 1,
        };
        let release = async {
            rig.database
                .until_somebody_waits_for_a_lock(BOUND, "the job to wait for the table")
                .await;
            let pause = format!("SELECT pg_sleep({HELD_S})");
            lock.batch_execute(&pause).await.expect("the database waits");
            lock.commit().await.expect("the table is free");
        };
        let before = work.clock();
        let (written, ()) = tokio::join!(work.write(vec![Row::Result(result)]), release);
        let passed = work.clock() - before;
        rule("A batch is written, however long it takes.").succeeds(written);
        rule("While the job waits for its database it does not read, and the clock of silence stands still.")
            .picture(format!("somebody holds the table for {HELD_S} s, and the job has a row for it"))
            .ask("The records lie on the topic all the while. Who was silent: the partitions, or the job? See `not_reading`.")
            .holds(
                passed < Duration::from_secs(HELD_S),
                "a clock that went on while the job waited",
            );
    });
}
