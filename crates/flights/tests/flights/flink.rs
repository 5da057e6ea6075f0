//! What Apache Flink said, in `tests/lab05/flink`, against what is counted here.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;
use std::time::Duration;

use flights::edge_log::{FLINK_SEED, edge_log};
use flights::lateness::{Lateness, count};
use flights::{Flight, Week, utc};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/lab05/flink");
const HOUR_MS: i64 = 60 * 60 * 1000;

/// A line of a fixture: its values by the names in the header.
type Row = HashMap<String, String>;

/// Lines that begin with `#` say what made the file; the first of the others names the columns.
fn rows(file: &str) -> Vec<Row> {
    let text = fs::read_to_string(Path::new(FIXTURES).join(file)).unwrap();
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    let names = lines.next().unwrap().split(',').collect::<Vec<_>>();
    let row = |line: &str| {
        let values = line.split(',').collect::<Vec<_>>();
        assert_eq!(values.len(), names.len(), "{file}: {line}");
        names.iter().zip(values).map(|(name, value)| ((*name).into(), value.into())).collect()
    };
    lines.map(row).collect()
}

fn number(row: &Row, column: &str) -> i64 {
    row[column].parse().unwrap()
}

/// The records that Flink was given.
fn log(name: &str) -> Vec<Flight> {
    match name {
        "edges" => edge_log(FLINK_SEED),
        week => week.parse::<Week>().unwrap().load().departed,
    }
}

/// Each run, under the name of its files, and its records.
fn runs() -> Vec<(String, Row, Vec<Flight>)> {
    let named = |run: Row| {
        let name = format!("{}-{}-{}", run["log"], run["bound_min"], run["lateness_min"]);
        let log = log(&run["log"]);
        (name, run, log)
    };
    rows("runs.csv").into_iter().map(named).collect()
}

#[test]
fn flink_was_asked_for_each_log_two_bounds_and_two_latenesses() {
    let names = runs().into_iter().map(|(name, ..)| name).collect::<Vec<_>>();
    let expected = ["calm", "storm", "edges"].into_iter().flat_map(|log| {
        ["15-0", "15-60", "60-0", "60-60"].map(|settings| format!("{log}-{settings}"))
    });
    assert_eq!(names, expected.collect::<Vec<_>>());
}

#[test]
fn flink_finds_late_and_drops_as_many_as_are_counted_here() {
    for (name, run, log) in runs() {
        let bound = Duration::from_secs(number(&run, "bound_min").unsigned_abs() * 60);
        let Lateness { late, dropped } = count(&log, bound);
        assert_eq!(number(&run, "late"), late as i64, "{name}: late");
        match number(&run, "lateness_min") {
            0 => assert_eq!(number(&run, "dropped"), dropped as i64, "{name}: dropped"),
            _ => assert!(number(&run, "dropped") < dropped as i64, "{name}: dropped"),
        }
    }
}

#[test]
fn flinks_late_records_are_records_of_the_log() {
    for (name, run, log) in runs() {
        let late = rows(&format!("{name}.late.csv"));
        assert_eq!(late.len() as i64, number(&run, "late"), "{name}: late");
        let dropped = late.iter().filter(|record| record["dropped"] == "yes").count();
        assert_eq!(dropped as i64, number(&run, "dropped"), "{name}: dropped");
        for record in &late {
            let flight = &log[number(record, "offset") as usize];
            let found = (utc::parse(&record["scheduled"]).unwrap(), &record["origin"]);
            assert_eq!(found, (flight.scheduled_ms, &flight.origin), "{name}: {record:?}");
        }
    }
}

/// Start and airport of a window: count, sum of delays, worst delay, more than 15 minutes late.
type Figures = BTreeMap<(i64, String), [i64; 4]>;

/// All records but those at these offsets, grouped.
fn batch(log: &[Flight], dropped: &[i64]) -> Figures {
    let mut figures = Figures::new();
    for (offset, flight) in (0..).zip(log) {
        if dropped.contains(&offset) {
            continue;
        }
        let start_ms = flight.scheduled_ms - flight.scheduled_ms.rem_euclid(HOUR_MS);
        let delay_min = i64::from(flight.delay_min);
        let window = figures.entry((start_ms, flight.origin.clone()));
        let [count, sum, worst, over_15] = window.or_insert([0, 0, i64::MIN, 0]);
        *count += 1;
        *sum += delay_min;
        *worst = delay_min.max(*worst);
        *over_15 += i64::from(delay_min > 15);
    }
    figures
}

#[test]
fn flinks_windows_are_a_batch_over_the_records_that_it_did_not_drop() {
    for (name, run, log) in runs() {
        let windows = rows(&format!("{name}.windows.csv"));
        assert_eq!(windows.len() as i64, number(&run, "windows"), "{name}: windows");
        let firings = windows.iter().map(|window| number(window, "revisions")).sum::<i64>();
        assert_eq!(firings, number(&run, "firings"), "{name}: firings");

        let late = rows(&format!("{name}.late.csv"));
        let dropped = late.iter().filter(|record| record["dropped"] == "yes");
        let dropped = dropped.map(|record| number(record, "offset")).collect::<Vec<_>>();
        let found = windows.iter().map(|window| {
            let columns = ["count", "sum_delay_min", "worst_delay_min", "over_15_min"];
            let figures = columns.map(|column| number(window, column));
            let mean = format!("{:.6}", figures[1] as f64 / figures[0] as f64);
            assert_eq!(window["mean_delay_min"], mean, "{name}: {window:?}");
            let start_ms = utc::parse(&window["window_start"]).unwrap();
            ((start_ms, window["origin"].clone()), figures)
        });
        assert_eq!(found.collect::<Figures>(), batch(&log, &dropped), "{name}");
    }
}
