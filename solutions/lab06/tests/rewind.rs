//! A job that goes back to an earlier checkpoint, and counts otherwise from there: in the end its tables
//! are those of that one way, and no record is in them twice.

mod program;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use flights::replay::arrival_order;
use flights::weeks::Week;
use flights::{Flight, utc};
use lab01::topic::{Retention, TopicSpec, ready_topic};
use lab05::board::BoardConfig;
use lab05::input::Until;
use lab05::tables::{DROPPED, RESULTS};
use lab06_solution::fencing::{FencingError, check, claim};
use lab06_solution::interval::Interval;
use lab06_solution::job::{Begin, Ended, JobConfig, JobError, run};
use lab06_solution::recovery::{RecoveryError, Which, load};
use lab06_solution::rewind::{self, RewindError};
use lab06_solution::state::Checkpoint;
use lab06_solution::store::{DEAD_LETTERS, StoreError, Writer, stored};
use program::{BOUND, remove};
use rdkafka::ClientConfig;
use rdkafka::producer::{FutureProducer, FutureRecord};
use rig::Rig;
use runs::RunSchema;
use testkit::until;
use tokio::runtime::Runtime;
use tokio::time::timeout;
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

const HOUR_MS: i64 = 3_600_000;

/// All that a job empties where it begins anew.
const TABLES: [&str; 4] = [RESULTS, DROPPED, DEAD_LETTERS, "checkpoints"];

/// A partition and an offset.
type Place = (i32, i64);

/// What lies on a topic; `None` for a record that is no flight.
type Log = BTreeMap<Place, Option<Flight>>;

/// A row: count, sum, worst, and how many were more than 15 minutes late.
type Row = (i64, i64, i32, i64);

/// A topic with a week on it, and the tables of a job.
struct World {
    log: Log,
    topic: String,
    kafka: ClientConfig,
    schema: RunSchema,
    database: Client,
}

const fn minutes(count: u64) -> Duration {
    Duration::from_secs(60 * count)
}

fn board(bound_min: u64, lateness_min: u64) -> BoardConfig {
    BoardConfig {
        window: minutes(60),
        bound: minutes(bound_min),
        allowed_lateness: minutes(lateness_min),
        idle_after: None,
        allowed_ahead: minutes(60),
    }
}

/// A week in the order of its departures, on as many partitions; behind each fifty of them something that
/// is no flight.
fn log_of(week: Week, partitions: i32) -> Vec<(Place, i64, Vec<u8>, Option<Flight>)> {
    let mut next: BTreeMap<i32, i64> = BTreeMap::new();
    let mut place = |partition| {
        let offset = next.entry(partition).or_default();
        *offset += 1;
        (partition, *offset - 1)
    };
    let mut log = Vec::new();
    for (index, flight) in arrival_order(week.load().departed).into_iter().enumerate() {
        let airport = ["EWR", "JFK", "LGA"].iter().position(|origin| flight.origin == *origin);
        let partition = airport.unwrap_or_default() as i32 % partitions;
        let payload = lab01::event::encode(&flight).expect("it is a flight");
        let departed_ms = flight.departed_ms();
        log.push((place(partition), departed_ms, payload, Some(flight)));
        if index % 50 == 49 {
            log.push((place(partition), departed_ms, b"no flight".to_vec(), None));
        }
    }
    log
}

impl World {
    async fn of(name: &str, week: Week, partitions: i32) -> World {
        let rig = Rig::up().expect("the rig is up");
        let (kafka, topic) =
            (rig.kafka(), format!("{}lab06-solution.{name}-{}", rig.prefix(), std::process::id()));
        let spec = TopicSpec {
            name: topic.clone(),
            partitions,
            replication: rig.replication(),
            retention: Retention::Forever,
        };
        ready_topic(&kafka, &spec).await.expect("the broker makes the topic");
        let mut settings = kafka.clone();
        settings.set("enable.idempotence", "true");
        let producer: FutureProducer = settings.create().expect("the settings are good");
        let (mut log, mut deliveries) = (Log::new(), Vec::new());
        for ((partition, offset), timestamp_ms, payload, flight) in log_of(week, partitions) {
            let record = FutureRecord::<str, [u8]>::to(&topic)
                .partition(partition)
                .timestamp(timestamp_ms)
                .payload(&payload);
            deliveries.push(producer.send_result(record).map_err(|(error, _)| error));
            log.insert((partition, offset), flight);
        }
        for delivery in deliveries {
            let answer = delivery.expect("there is room").await.expect("it is answered");
            answer.expect("the broker takes it");
        }
        let schema = RunSchema::of_run(&rig, name).await.expect("there is a schema");
        schema.empty(&TABLES).await.expect("the tables can be emptied");
        let database = schema.connect().await.expect("the database takes connections");
        World { log, topic, kafka, schema, database }
    }

    fn config(&self, board: BoardConfig, begin: Begin) -> JobConfig {
        JobConfig {
            job: self.schema.name().to_owned(),
            kafka: self.kafka.clone(),
            topic: self.topic.clone(),
            database: self.schema.url().parse().expect("the address can be read"),
            board,
            interval: Interval { every: minutes(60), changes: 900 },
            until: Until::TheEnd,
            begin,
            epoch: None,
        }
    }

    async fn run(&self, board: BoardConfig, begin: Begin) -> Result<Ended, JobError> {
        let (config, stop) = (self.config(board, begin), CancellationToken::new());
        let ended = timeout(BOUND, run(&config, &stop, &mut |_| {}, &mut |_| {})).await;
        ended.expect("it ends")
    }

    /// The checkpoint so many before the newest.
    async fn checkpoint(&self, before: i64) -> Checkpoint {
        let id = "SELECT max(id) - $1 FROM checkpoints";
        let id: i64 = self.database.query_one(id, &[&before]).await.expect("it is there").get(0);
        let found = load(&self.database, self.schema.name(), Which::Id(id.unsigned_abs())).await;
        found.expect("it can be read").expect("the job has made checkpoints")
    }

    /// The places in a table.
    async fn places(&self, table: &str) -> BTreeSet<Place> {
        let all = format!("SELECT partition, record_offset FROM {table}");
        let rows = self.database.query(&all, &[]).await.expect("the table can be read");
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    }

    async fn rows(&self) -> BTreeMap<(i64, String), Row> {
        const ALL: &str = "
            SELECT (extract(epoch FROM window_start) * 1000)::bigint, origin, count, sum_delay_min,
                worst_delay_min, over_15_min
            FROM processed_events_aggregated";
        let rows = self.database.query(ALL, &[]).await.expect("the table can be read");
        let row = |row: &tokio_postgres::Row| {
            ((row.get(0), row.get(1)), (row.get(2), row.get(3), row.get(4), row.get(5)))
        };
        rows.iter().map(row).collect()
    }

    /// Every record is in one place, and the rows are those of all flights that were not dropped. Gives
    /// the number of dropped records.
    async fn assert_right(&self, what: &str) -> usize {
        let (dropped, dead_letters) = (self.places(DROPPED).await, self.places(DEAD_LETTERS).await);
        let no_flights: BTreeSet<Place> = self
            .log
            .iter()
            .filter(|(_, flight)| flight.is_none())
            .map(|(place, _)| *place)
            .collect();
        assert_eq!(dead_letters, no_flights, "{what}: the dead letters");
        let mut expected: BTreeMap<(i64, String), Row> = BTreeMap::new();
        for (place, flight) in &self.log {
            let Some(flight) = flight.as_ref().filter(|_| !dropped.contains(place)) else {
                continue;
            };
            let start_ms = flight.scheduled_ms - flight.scheduled_ms.rem_euclid(HOUR_MS);
            let row =
                expected.entry((start_ms, flight.origin.clone())).or_insert((0, 0, i32::MIN, 0));
            row.0 += 1;
            row.1 += i64::from(flight.delay_min);
            row.2 = row.2.max(flight.delay_min);
            row.3 += i64::from(flight.delay_min > 15);
        }
        let found = self.rows().await;
        let differing =
            expected.keys().chain(found.keys()).filter(|key| expected.get(key) != found.get(key));
        let differing: BTreeSet<String> = differing
            .map(|key| {
                let window = format!("{} {}", utc::format(key.0), key.1);
                format!("{window}: expected {:?}, found {:?}", expected.get(key), found.get(key))
            })
            .collect();
        assert!(differing.is_empty(), "{what}: rows that differ from a GROUP BY: {differing:#?}");
        let counted: i64 = found.values().map(|row| row.0).sum();
        assert_eq!(
            usize::try_from(counted).expect("a count") + dropped.len() + dead_letters.len(),
            self.log.len(),
            "{what}: counted + dropped + dead letters = read"
        );
        dropped.len()
    }

    async fn end(self) {
        remove(&self.kafka, &self.topic).await;
    }
}

fn older(checkpoint: &Checkpoint) -> Begin {
    Begin::Checkpoint(Which::Id(checkpoint.id))
}

async fn there_and_back(name: &str, week: Week, partitions: i32, lateness_min: u64) {
    let world = World::of(name, week, partitions).await;
    let wide = board(60, lateness_min);
    let narrow = board(0, lateness_min);
    let first = world.run(wide.clone(), Begin::Checkpoint(Which::Latest)).await;
    first.expect("nothing disturbs it");
    let few = world.assert_right("at first").await;
    let earlier = world.checkpoint(2).await;
    assert!(!earlier.finished, "there is something to be read behind it");

    let ended = world.run(narrow.clone(), older(&earlier)).await.expect("it goes back");
    let taken_back = ended.progress.taken_back;
    assert!(taken_back.results > 0 && taken_back.dead_letters > 0, "{taken_back}");
    let many = world.assert_right("with a smaller bound").await;
    // On several partitions it also depends on how reading interleaves.
    let is_certain = partitions == 1;
    assert!(!is_certain || many > few, "with a smaller bound more is dropped: {few}, {many}");

    // The same state as a savepoint, over the tables of the second way, and with the bound of the first.
    let savepoint = Begin::Savepoint(Box::new(earlier));
    let ended = world.run(wide, savepoint).await.expect("it goes back once more");
    assert!(ended.progress.taken_back.dropped > 0, "{}", ended.progress.taken_back);
    let again = world.assert_right("with the first bound").await;
    assert!(!is_certain || again < many, "with a larger bound less is dropped: {many}, {again}");
    world.end().await;
}

#[test]
fn what_was_written_after_the_checkpoint_is_taken_back() {
    Runtime::new().expect("the system gives a runtime").block_on(async {
        there_and_back("lab06_rewind_one", Week::Storm, 1, 0).await;
        there_and_back("lab06_rewind_three", Week::Storm, 3, 0).await;
        there_and_back("lab06_rewind_corrected", Week::Calm, 3, 45).await;
    });
}

#[test]
fn a_checkpoint_of_the_way_that_was_given_up_is_gone() {
    Runtime::new().expect("the system gives a runtime").block_on(async {
        let world = World::of("lab06_rewind_forward", Week::Calm, 1).await;
        let narrow = board(0, 0);
        let first = world.run(narrow.clone(), Begin::Checkpoint(Which::Latest)).await;
        first.expect("nothing disturbs it");
        let (earlier, later) = (world.checkpoint(2).await, world.checkpoint(1).await);
        let (config, stop) =
            (world.config(narrow.clone(), older(&earlier)), CancellationToken::new());
        stop.cancel();
        run(&config, &stop, &mut |_| {}, &mut |_| {}).await.expect("it goes back and stops");

        let refused = world.run(narrow.clone(), older(&later)).await;
        let is_refused =
            matches!(&refused, Err(JobError::Recovery(RecoveryError::NoSuchCheckpoint { .. })));
        assert!(is_refused, "{refused:?}");
        let ended = world.run(narrow, Begin::Checkpoint(Which::Latest)).await;
        ended.expect("it goes on from where it went back to");
        world.assert_right("at the end").await;
        world.end().await;
    });
}

#[test]
fn who_may_not_go_back_leaves_the_tables_as_they_are() {
    Runtime::new().expect("the system gives a runtime").block_on(async {
        let world = World::of("lab06_rewind_refused", Week::Calm, 1).await;
        let narrow = world.run(board(0, 0), Begin::Checkpoint(Which::Latest)).await;
        narrow.expect("nothing disturbs it");
        let of_another = world.checkpoint(1).await;
        world.schema.empty(&TABLES).await.expect("the tables can be emptied");
        let wide = board(60, 0);
        let ended = world.run(wide.clone(), Begin::Checkpoint(Which::Latest)).await;
        ended.expect("nothing disturbs it");
        let before = (world.rows().await, world.places(DROPPED).await);

        let refused = world.run(wide.clone(), Begin::Savepoint(Box::new(of_another))).await;
        let is_refused = matches!(
            &refused,
            Err(JobError::Rewind(RewindError::OtherTables { expected, found, .. })) if found > expected
        );
        assert!(is_refused, "{refused:?}");
        assert_eq!((world.rows().await, world.places(DROPPED).await), before);

        let earlier = world.checkpoint(1).await;
        let mut zombie = world.config(board(0, 0), older(&earlier));
        zombie.epoch = Some(claim(&world.database, &zombie.job).await.expect("an epoch"));
        claim(&world.database, &zombie.job).await.expect("the next epoch");
        let stop = CancellationToken::new();
        let refused = run(&zombie, &stop, &mut |_| {}, &mut |_| {}).await;
        let sentence = refused.expect_err("a newer instance was started").to_string();
        assert!(sentence.contains("was started again"), "{sentence}");
        assert_eq!((world.rows().await, world.places(DROPPED).await), before);
        world.end().await;
    });
}

#[test]
fn a_savepoint_over_the_tables_of_another_topic_is_refused() {
    Runtime::new().expect("the system gives a runtime").block_on(async {
        let calm = World::of("lab06_rewind_calm", Week::Calm, 1).await;
        let storm = World::of("lab06_rewind_storm", Week::Storm, 1).await;
        for world in [&calm, &storm] {
            let ended = world.run(board(15, 0), Begin::Checkpoint(Which::Latest)).await;
            ended.expect("nothing disturbs it");
        }
        for (read, filled) in [(&calm, &storm), (&storm, &calm)] {
            let savepoint = Begin::Savepoint(Box::new(read.checkpoint(0).await));
            let here = filled.config(board(15, 0), savepoint);
            let config = JobConfig { topic: read.topic.clone(), ..here };
            let before = (filled.rows().await, filled.places(DROPPED).await);
            let stop = CancellationToken::new();
            let refused = run(&config, &stop, &mut |_| {}, &mut |_| {}).await;
            let is_refused = matches!(
                &refused,
                Err(JobError::Rewind(RewindError::OtherTopic { expected, found, .. }))
                    if *expected == read.topic && *found == filled.topic
            );
            assert!(is_refused, "{refused:?}");
            assert_eq!((filled.rows().await, filled.places(DROPPED).await), before);
        }
        calm.end().await;
        storm.end().await;
    });
}

#[test]
fn the_checkpoints_of_another_way_are_gone_when_a_savepoint_is_begun_with() {
    Runtime::new().expect("the system gives a runtime").block_on(async {
        let world = World::of("lab06_rewind_elsewhere", Week::Calm, 1).await;
        let latest = Begin::Checkpoint(Which::Latest);
        world.run(board(0, 0), latest.clone()).await.expect("nothing disturbs it");
        // On another machine the same job goes another way, and comes as far.
        let elsewhere = world.checkpoint(1).await;
        world.schema.empty(&TABLES).await.expect("the tables can be emptied");
        world.run(board(0, 0), latest).await.expect("nothing disturbs it");
        let savepoint = Checkpoint { id: elsewhere.id + 10, ..elsewhere };
        let config = world.config(board(0, 0), Begin::Savepoint(Box::new(savepoint.clone())));
        let stop = CancellationToken::new();
        stop.cancel();
        run(&config, &stop, &mut |_| {}, &mut |_| {}).await.expect("it goes back and stops");
        let all = stored(&world.database, &config.job).await.expect("the table can be read");
        let ids: Vec<u64> = all.iter().map(|(id, _)| *id).collect();
        assert_eq!(
            ids,
            [savepoint.id + 1],
            "only the way that is gone on with can be gone on with"
        );
        world.end().await;
    });
}

#[test]
fn who_goes_back_beside_an_instance_that_goes_on_is_refused() {
    Runtime::new().expect("the system gives a runtime").block_on(async {
        let world = World::of("lab06_rewind_beside", Week::Calm, 1).await;
        let ended = world.run(board(15, 0), Begin::Checkpoint(Which::Latest)).await;
        ended.expect("nothing disturbs it");
        let (back_to, newest) = (world.checkpoint(2).await, world.checkpoint(0).await);
        let before = (world.rows().await, world.places(DROPPED).await);
        // It began when the newest one was not there yet, so it gives its own the same number.
        let writer = Writer { job: world.schema.name().to_owned(), epoch: None };
        let first = Checkpoint { id: newest.id, ..back_to.clone() };
        let refused = rewind::write(&world.database, &writer, &back_to, &first).await;
        let is_refused =
            matches!(&refused, Err(RewindError::Store(StoreError::AlreadyThere { .. })));
        assert!(is_refused, "{refused:?}");
        assert_eq!((world.rows().await, world.places(DROPPED).await), before);
        world.end().await;
    });
}

#[test]
fn who_only_seemed_dead_and_goes_back_locks_no_row_of_the_newest() {
    Runtime::new().expect("the system gives a runtime").block_on(async {
        let world = World::of("lab06_rewind_locks", Week::Calm, 1).await;
        let ended = world.run(board(15, 0), Begin::Checkpoint(Which::Latest)).await;
        ended.expect("nothing disturbs it");
        let job = world.schema.name().to_owned();
        let (zombie, looker) = (world.schema.connect().await, world.schema.connect().await);
        let (zombie, looker) = (zombie.expect("it connects"), looker.expect("it connects"));
        let old = claim(&zombie, &job).await.expect("an epoch");
        let new = claim(&world.database, &job).await.expect("the next epoch");
        // The newest is within a transaction, and has looked.
        world.database.batch_execute("BEGIN").await.expect("it is open");
        check(&world.database, &job, new).await.expect("it is the newest");
        let back_to = world.checkpoint(2).await;
        let first = Checkpoint { id: world.checkpoint(0).await.id + 1, ..back_to.clone() };
        let writer = Writer { job, epoch: Some(old) };
        let goes_back = rewind::write(&zombie, &writer, &back_to, &first);
        let goes_on = async {
            until_somebody_waits(&looker).await;
            let touch = format!("UPDATE {RESULTS} SET revision = revision");
            world.database.batch_execute(&touch).await.expect("no row is locked");
            world.database.batch_execute("COMMIT").await.expect("it is committed");
        };
        let (refused, ()) = tokio::join!(goes_back, goes_on);
        let is_refused = matches!(
            &refused,
            Err(RewindError::Store(StoreError::Fenced(FencingError::Fenced { .. })))
        );
        assert!(is_refused, "{refused:?}");
        world.end().await;
    });
}

/// Waits until a claim or a look waits for the row of its epoch.
async fn until_somebody_waits(looker: &Client) {
    const WAITING: &str = "
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'
            AND query LIKE '%job_epochs%'";
    until(BOUND, "one that goes back and waits for its epoch", async || {
        let row = looker.query_one(WAITING, &[]).await.map_err(|error| error.to_string())?;
        if row.get::<_, i64>(0) > 0 { Ok(()) } else { Err("nobody waits".to_owned()) }
    })
    .await;
}
