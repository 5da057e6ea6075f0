//! The job is killed with `kill -9`, again and again, at random moments and at every point of its loop.
//! In the end its tables are those of a job that nothing disturbed.
//!
//! A small form runs with the other tests. `make soak` runs the large one: the made flights go on where
//! they were interrupted when `TIDEMARK_RESUME` is set, the storm week begins anew.
//! `TIDEMARK_KILLS=200 TIDEMARK_RECORDS=1000000 cargo test -p lab06-solution --test kill -- --nocapture`.

mod program;

use std::env;

use program::{Tables, ask, refused, said, said_aloud};

/// The small form.
const FEW_KILLS: u32 = 20;
const FEW_RECORDS: u32 = 20_000;

/// Points of the loop where a job is killed: after seven effects and after the end of the input, and
/// while the database commits.
const POINTS: u32 = 9;

/// Of Apache Flink: the windows and the dropped records of the storm week on one partition.
const FLINK_WINDOWS: &str = include_str!("../../../tests/lab05/flink/storm-15-0.windows.csv");
const FLINK_LATE: &str = include_str!("../../../tests/lab05/flink/storm-15-0.late.csv");

fn variable(name: &str) -> Option<u32> {
    env::var(name).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}

/// How often a job was killed at each point, the rarest first.
fn by_point(job: &str) -> Vec<i64> {
    const BY_POINT: &str = "SELECT count(*) AS kills FROM kills GROUP BY point ORDER BY kills";
    ask(job, async |database| {
        let rows = database.query(BY_POINT, &[]).await.expect("the table is there");
        rows.iter().map(|row| row.get(0)).collect()
    })
}

#[test]
fn made_flights_on_four_partitions_survive_kills_at_every_point() {
    let kills = variable("TIDEMARK_KILLS").unwrap_or(FEW_KILLS);
    let records = variable("TIDEMARK_RECORDS").unwrap_or(FEW_RECORDS);
    let (kill_times, made) = (kills.to_string(), records.to_string());
    let of = |job| ["--job", job, "--made", &made, "--partitions", "4", "--idle-after", "off"];
    let mut killed = of("lab06_killed").to_vec();
    killed.extend(["--chaos", &kill_times]);
    if env::var_os("TIDEMARK_RESUME").is_some() {
        killed.push("--resume");
    }
    println!("{}", said_aloud(&killed));
    said(&of("lab06_undisturbed"));

    let (found, by_point) = (Tables::of("lab06_killed"), by_point("lab06_killed"));
    found.assert_same(&Tables::of("lab06_undisturbed"));
    assert_eq!(
        found.dropped, [""; 0],
        "no record is behind its own partition by more than the bound"
    );
    assert_eq!(found.corrected(), 0, "every window was given out once");
    assert_eq!(by_point.len(), POINTS as usize, "kills at every point: {by_point:?}");
    assert_eq!(by_point.iter().sum::<i64>(), i64::from(kills), "{by_point:?}");
    assert_often_enough(&by_point, kills);
}

/// The points take turns, so none has fewer than half of its share.
fn assert_often_enough(by_point: &[i64], kills: u32) {
    let least = i64::from(kills / POINTS / 2).max(1);
    assert!(by_point[0] >= least, "expected {least} kills at each point, found {by_point:?}");
}

#[test]
fn fewer_kills_than_were_asked_for_are_said_and_no_success() {
    // The first life that commits ends the only record, and the others have nothing to be killed in.
    let arguments =
        ["--job", "lab06_few_kills", "--made", "1", "--partitions", "1", "--chaos", "12"];
    let shown = refused(&arguments, 1);
    let last = shown.lines().last().unwrap_or_default();
    let sentence = ("error: killed ", ", expected 12: the input ended before");
    assert!(last.starts_with(sentence.0) && last.ends_with(sentence.1), "{shown}");
}

#[test]
fn the_storm_week_on_one_partition_survives_kills_with_its_dropped_records() {
    let kills = variable("TIDEMARK_KILLS").unwrap_or(FEW_KILLS);
    let kill_times = kills.to_string();
    let of = |job| ["--job", job, "--week", "storm", "--partitions", "1"];
    let mut killed = of("lab06_storm_killed").to_vec();
    killed.extend(["--chaos", &kill_times]);
    println!("{}", said_aloud(&killed));
    said(&of("lab06_storm_undisturbed"));

    let (found, by_point) = (Tables::of("lab06_storm_killed"), by_point("lab06_storm_killed"));
    found.assert_same(&Tables::of("lab06_storm_undisturbed"));
    assert_eq!(by_point.len(), POINTS as usize, "kills at every point: {by_point:?}");
    assert_eq!(by_point.iter().sum::<i64>(), i64::from(kills), "{by_point:?}");
    assert_often_enough(&by_point, kills);
    let lines =
        |fixture: &'static str| fixture.lines().filter(|line| !line.starts_with('#')).skip(1);
    let windows: Vec<&str> = lines(FLINK_WINDOWS).collect();
    assert_eq!(found.windows, windows, "every row is Flink's");
    let dropped: Vec<&str> =
        lines(FLINK_LATE).filter_map(|line| line.strip_suffix(",yes")?.split(',').next()).collect();
    let ours: Vec<&str> = found.dropped.iter().filter_map(|line| line.split(',').nth(1)).collect();
    assert_eq!(ours, dropped, "the dropped records are Flink's");
}
