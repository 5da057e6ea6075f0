//! Step 6: stream = Flink. On one partition the board says what Apache Flink said, row by row.
//!
//! `cargo test -p lab05 step6_flink -- --nocapture` shows how many rows were compared. How Flink was
//! asked stands in `oracle/README.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use flights::edge_log::{FLINK_SEED, edge_log};
use flights::weeks::Week;
use flights::{Flight, utc};
use lab05::board::{Board, BoardConfig};
use lab05::firing::WindowResult;
use testkit::rule;

use super::at_hand::{HOUR, minutes};
use super::log::{Made, Read, interleave, read_all};

/// A question that Flink was asked, and its two answers.
struct Run {
    log: &'static str,
    bound_min: u64,
    lateness_min: u64,
    windows: &'static str,
    late: &'static str,
}

macro_rules! run {
    ($log:literal, $bound_min:literal, $lateness_min:literal) => {
        Run {
            log: $log,
            bound_min: $bound_min,
            lateness_min: $lateness_min,
            windows: include_str!(concat!(
                "flink/",
                $log,
                "-",
                $bound_min,
                "-",
                $lateness_min,
                ".windows.csv"
            )),
            late: include_str!(concat!(
                "flink/",
                $log,
                "-",
                $bound_min,
                "-",
                $lateness_min,
                ".late.csv"
            )),
        }
    };
}

const RUNS: [Run; 12] = [
    run!("calm", 15, 0),
    run!("calm", 15, 60),
    run!("calm", 60, 0),
    run!("calm", 60, 60),
    run!("storm", 15, 0),
    run!("storm", 15, 60),
    run!("storm", 60, 0),
    run!("storm", 60, 60),
    run!("edges", 15, 0),
    run!("edges", 15, 60),
    run!("edges", 60, 0),
    run!("edges", 60, 60),
];

/// Flink with a watermark that is a millisecond larger.
const WITHOUT_ONE_MS: &str = include_str!("flink/without-one-ms.csv");

/// The lines of a fixture without its comments and its titles.
fn rows(fixture: &'static str) -> Vec<&'static str> {
    fixture.lines().filter(|line| !line.starts_with('#')).skip(1).collect()
}

/// A log as it lies on a topic with one partition.
fn log(name: &str) -> Vec<Read> {
    let flights: Vec<Flight> = match name {
        "calm" => Week::Calm.load().departed,
        "storm" => Week::Storm.load().departed,
        _ => edge_log(FLINK_SEED),
    };
    interleave(&[flights], &[])
}

/// Each question with its log.
fn runs() -> impl Iterator<Item = (&'static Run, Rc<[Read]>)> {
    let logs = BTreeMap::from(["calm", "storm", "edges"].map(|name| (name, Rc::from(log(name)))));
    RUNS.iter().map(move |run| (run, Rc::clone(&logs[run.log])))
}

fn ask_the_board(reads: &[Read], bound: Duration, allowed_lateness: Duration) -> Made {
    let config = BoardConfig {
        window: HOUR,
        bound,
        allowed_lateness,
        idle_after: None,
        allowed_ahead: HOUR,
    };
    read_all(Board::new(&[0], &config).expect("an hour is a size"), reads)
}

/// The latest results as Flink's file has them.
fn window_rows(made: &Made) -> Vec<String> {
    let row = |result: &WindowResult| {
        let WindowResult { window, key, delays, revision } = result;
        format!(
            "{},{},{key},{},{},{:.6},{},{},{revision}",
            utc::format(window.start_ms),
            utc::format(window.end_ms),
            delays.count,
            delays.sum_min,
            delays.mean_min().unwrap_or(f64::NAN),
            delays.worst_min.map_or("none".to_owned(), |worst_min| worst_min.to_string()),
            delays.over_15_min
        )
    };
    made.latest().values().map(row).collect()
}

/// The late records as Flink's file has them.
fn late_rows(made: &Made, reads: &[Read]) -> Vec<String> {
    let dropped: BTreeSet<&(i32, i64)> = made.dropped.iter().collect();
    let row = |index: &usize| {
        let Read { partition, offset, flight } = &reads[*index];
        let dropped = if dropped.contains(&(*partition, *offset)) { "yes" } else { "no" };
        format!("{offset},{},{},{dropped}", utc::format(flight.scheduled_ms), flight.origin)
    };
    made.late.iter().map(row).collect()
}

/// How many rows are in both.
fn equal(ours: &[String], flinks: &[&str]) -> usize {
    let flinks: BTreeSet<&str> = flinks.iter().copied().collect();
    ours.iter().filter(|row| flinks.contains(row.as_str())).count()
}

/// The first row in which the two differ, ours and Flink's.
fn first_difference(ours: &[String], flinks: &[&str]) -> (String, String) {
    let longest = ours.len().max(flinks.len());
    let row = |index: usize| {
        let ours = ours.get(index).map_or("no further row", String::as_str);
        (ours.to_owned(), flinks.get(index).copied().unwrap_or("no further row").to_owned())
    };
    let all_equal = || ("all rows".to_owned(), "all rows".to_owned());
    (0..longest).map(row).find(|(ours, flinks)| ours != flinks).unwrap_or_else(all_equal)
}

#[test]
fn the_results_are_those_of_flink() {
    for (run, reads) in runs() {
        let made = ask_the_board(&reads, minutes(run.bound_min), minutes(run.lateness_min));
        let (ours, flinks) = (window_rows(&made), rows(run.windows));
        let equal = equal(&ours, &flinks);
        let title = format!(
            "{}, bound {} min, allowed lateness {} min",
            run.log, run.bound_min, run.lateness_min
        );
        println!("{title}: {} windows, Flink {}, equal {equal}", ours.len(), flinks.len());
        let (first_of_ours, first_of_flinks) = first_difference(&ours, &flinks);
        rule("On one partition every result is Flink's: window, key, figures and number of revisions.")
            .picture(format!(
                "{title}: {} rows, Flink has {}, equal are {equal}\n\
                 start, end, key, count, sum, mean, worst, over 15 min, revisions",
                ours.len(),
                flinks.len()
            ))
            .ask("In which figure do the two differ first? Compare what the earlier steps say of it.")
            .same_bytes(first_of_ours, first_of_flinks);
    }
}

#[test]
fn the_late_and_the_dropped_records_are_those_of_flink() {
    for (run, reads) in runs() {
        let made = ask_the_board(&reads, minutes(run.bound_min), minutes(run.lateness_min));
        let (ours, flinks) = (late_rows(&made, &reads), rows(run.late));
        let dropped_by_flink = flinks.iter().filter(|row| row.ends_with(",yes")).count();
        let said = format!(
            "{}, bound {} min, allowed lateness {} min: {} late, Flink {}, equal {}; dropped {}, Flink {dropped_by_flink}",
            run.log,
            run.bound_min,
            run.lateness_min,
            ours.len(),
            flinks.len(),
            equal(&ours, &flinks),
            made.dropped.len()
        );
        println!("{said}");
        let (first_of_ours, first_of_flinks) = first_difference(&ours, &flinks);
        rule("On one partition the late and the dropped records are Flink's, offset by offset.")
            .picture(format!("{said}\noffset, slot, key, dropped"))
            .ask("Is this record late by your watermark? And is its window gone?")
            .same_bytes(first_of_ours, first_of_flinks);
    }
}

/// Flink's watermark is inclusive, ours is not: Flink's is one millisecond smaller. Who forgets that
/// has, in our terms, a bound that is a millisecond shorter.
#[test]
fn a_millisecond_less_of_bound_is_flink_without_its_millisecond() {
    for row in rows(WITHOUT_ONE_MS) {
        let fields: Vec<&str> = row.split(',').collect();
        let bound = minutes(fields[1].parse().expect("whole minutes"));
        let reads = log(fields[0]);
        let made = ask_the_board(&reads, bound - Duration::from_millis(1), Duration::ZERO);
        let right = ask_the_board(&reads, bound, Duration::ZERO).latest();
        let latest = made.latest();
        let all: BTreeMap<_, _> = latest.iter().chain(&right).collect();
        let differ =
            all.keys().filter(|of_key| latest.get(**of_key) != right.get(**of_key)).count();
        let said = format!(
            "{},{},{},{},{},{differ}",
            fields[0],
            fields[1],
            made.late.len(),
            made.dropped.len(),
            latest.len()
        );
        println!(
            "without Flink's millisecond; log,bound in min,late,dropped,windows,windows that differ: \
             {said}, Flink {row}"
        );
        rule("A watermark that is one millisecond larger makes more records late, and on some logs changes windows.")
            .picture("log, bound in minutes, late, dropped, windows, windows that differ")
            .same_bytes(said, row);
    }
}
