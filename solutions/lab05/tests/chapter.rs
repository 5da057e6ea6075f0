//! The chapter shows what the program prints, what a learner's red run says, and figures of the weeks.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};
use std::time::Duration;

use flights::edge_log::{FLINK_SEED, edge_log};
use flights::weeks::Week;
use flights::{Flight, utc};
use lab05_solution::board::{Arrival, Board, BoardConfig, DroppedRecord};
use lab05_solution::delays::Delays;
use lab05_solution::firing::WindowResult;
use lab05_solution::window::Window;
use testkit::page::{
    self, blocks, gallery_shows_every_wrong_answer, read, red_runs_are_on_record, root,
    without_prefix,
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_lab05-solution");

const HOUR_MIN: u64 = 60;

fn chapter() -> String {
    read("book/src/05-tumbling-aggregation.md")
}

/// The chapter holds this, as it is.
#[track_caller]
fn shows(text: &str) {
    page::shows(&chapter(), text);
}

/// The chapter says this. In a sentence a line break is a space.
#[track_caller]
fn says(sentence: &str) {
    page::says(&chapter(), sentence);
}

/// `1,416`, as the book writes it.
fn with_comma(number: usize) -> String {
    match number / 1_000 {
        0 => number.to_string(),
        thousands => format!("{thousands},{:03}", number % 1_000),
    }
}

/// What a board on one partition makes of a log.
#[derive(Default)]
struct Made {
    board: Option<Board>,
    results: Vec<WindowResult>,
    dropped: Vec<DroppedRecord>,
    most_kept: usize,
}

impl Made {
    fn latest(&self) -> BTreeMap<(Window, String), &WindowResult> {
        let of_key = |result: &WindowResult| (result.window, result.key.clone());
        self.results.iter().map(|result| (of_key(result), result)).collect()
    }

    fn corrected_rows(&self) -> usize {
        self.latest().values().filter(|result| result.revision > 1).count()
    }

    fn late(&self) -> usize {
        self.board.as_ref().map_or(0, |board| board.counts().late as usize)
    }
}

fn made(flights: &[Flight], bound_min: u64, lateness_min: u64) -> Made {
    made_in(HOUR_MIN, flights, bound_min, lateness_min)
}

fn made_in(window_min: u64, flights: &[Flight], bound_min: u64, lateness_min: u64) -> Made {
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    let config = BoardConfig {
        window: minutes(window_min),
        bound: minutes(bound_min),
        allowed_lateness: minutes(lateness_min),
        idle_after: None,
        allowed_ahead: minutes(HOUR_MIN),
    };
    let mut board = Board::new(&[0], &config).expect("an hour is a size");
    let mut made = Made::default();
    for (offset, flight) in (0..).zip(flights) {
        let arrival = Arrival { partition: 0, offset, arrived_ms: flight.departed_ms(), flight };
        let outcome = board.on_flight(arrival, Duration::ZERO);
        made.results.extend(outcome.results);
        made.dropped.extend(outcome.dropped);
        made.most_kept = made.most_kept.max(board.aggregation().state().kept());
    }
    made.results.extend(board.on_end());
    made.board = Some(board);
    made
}

fn log(name: &str) -> Vec<Flight> {
    match name {
        "calm" => Week::Calm.load().departed,
        "storm" => Week::Storm.load().departed,
        _ => edge_log(FLINK_SEED),
    }
}

/// A program's output with the names of the chapter.
fn printed(command: &str) -> String {
    let own = command.replace("cargo run -q -p lab05 --", PROGRAM);
    let output = Command::new("sh")
        .args(["-c", &own])
        .current_dir(root())
        .stdin(Stdio::null())
        .output()
        .expect("the command runs");
    assert!(output.status.success(), "{own}\n{}", String::from_utf8_lossy(&output.stderr));
    without_prefix(&String::from_utf8_lossy(&output.stdout))
        .replace("lab05-solution", "lab05")
        .replace("lab05_solution", "lab05")
}

/// The lines that do not depend on the speed of a machine.
fn without_times(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.starts_with(" time at work")).collect()
}

/// One test: the runs share their tables.
#[test]
fn every_output_that_the_chapter_shows_is_what_is_printed() {
    let chapter = chapter();
    let split = |block: &str| {
        let (command, output) = block.split_once('\n')?;
        Some((command.strip_prefix("$ ")?.to_owned(), output.to_owned()))
    };
    let commands: Vec<_> = blocks(&chapter, "console").into_iter().filter_map(split).collect();
    let shown = commands.iter().filter(|(_, output)| !output.is_empty());
    assert_eq!(shown.clone().count(), 3, "the chapter has lost or won a command with its output");
    for (command, output) in shown {
        let said = printed(command);
        assert_eq!(without_times(&said), without_times(output), "{command}\n{said}");
    }
}

#[test]
fn every_red_run_that_the_chapter_shows_is_on_record() {
    red_runs_are_on_record("lab05", &chapter(), 6);
}

/// The row with which the chapter begins: Newark, the hour from 21:00 of 10 February.
#[test]
fn one_hour_says_three_things() {
    let start_ms = utc::parse("2013-02-10T21:00:00Z").expect("it is an instant");
    let storm = log("storm");
    let row = |bound_min, lateness_min| {
        let made = made(&storm, bound_min, lateness_min);
        let latest = made.latest();
        let of_newark = |(window, key): &&(Window, String)| {
            window.start_ms == start_ms && key.as_str() == "EWR"
        };
        let key = latest.keys().find(of_newark).expect("flights have left in it");
        latest[key].clone()
    };
    assert_eq!(row(15, 60).revision, 7, "the chapter says that it is corrected six times");
    for (title, result) in [
        ("at a bound of 15 min", row(15, 0)),
        ("corrected for one hour", row(15, 60)),
        ("all flights that left", row(1_440, 0)),
    ] {
        let Delays { count, worst_min, over_15_min, .. } = result.delays;
        let mean_min = result.delays.mean_min().expect("flights have left");
        let worst_min = worst_min.expect("flights have left");
        shows(&format!(
            "| {title} | {count} | {mean_min:+.1} min | {worst_min:+} min | {over_15_min} |\n"
        ));
    }
}

#[test]
fn the_table_of_lateness_is_that_of_the_storm() {
    let storm = log("storm");
    let mut table = String::new();
    for lateness_min in [0, 30, 60, 180, 360] {
        let made = made(&storm, 15, lateness_min);
        let rows = made.latest().len();
        table += &format!(
            "| {lateness_min} min | {} | {rows} | {} | {} |\n",
            made.dropped.len(),
            made.results.len() - rows,
            made.most_kept
        );
    }
    shows(&table);
}

/// The output itself is held against the program.
#[test]
fn what_is_said_of_the_queries_stands_in_the_output() {
    for line in [
        " rows read                                   5879179       394343         5173",
        " a flight is shown after, on average         2.0 min      2.0 min     46.3 min",
        " rows that were right when over            85 of 335    85 of 335   122 of 335",
    ] {
        shows(line);
    }
    says("more than a thousand times what the stream reads");
    says(
        "two minutes after it left. On the stream's board it appears with its hour, 46 minutes later",
    );
    says(
        "85 of 335 rows are what they will be in the end. When the stream's window fires, 122 are",
    );
}

/// The rows as Flink's files have them.
fn as_flink_has_them(made: &Made) -> Vec<String> {
    let row = |result: &&WindowResult| {
        let WindowResult { window, key, delays, revision } = result;
        let [start, end] = [window.start_ms, window.end_ms].map(utc::format);
        let mean_min = delays.mean_min().unwrap_or(f64::NAN);
        let worst_min = delays.worst_min.unwrap_or_default();
        let (count, sum_min, over) = (delays.count, delays.sum_min, delays.over_15_min);
        format!("{start},{end},{key},{count},{sum_min},{mean_min:.6},{worst_min},{over},{revision}")
    };
    made.latest().values().map(row).collect()
}

#[test]
fn the_table_of_the_twelve_runs_is_what_comes_out() {
    let runs = read("tests/lab05/flink/runs.csv");
    let mut table = String::new();
    for run in runs.lines().filter(|line| !line.starts_with('#')).skip(1) {
        let fields: Vec<&str> = run.split(',').collect();
        let [name, bound_min, lateness_min] = [fields[0], fields[1], fields[2]];
        let flights = log(name);
        let made = made(&flights, bound_min.parse().unwrap(), lateness_min.parse().unwrap());
        let ours = as_flink_has_them(&made);
        let file = format!("tests/lab05/flink/{name}-{bound_min}-{lateness_min}.windows.csv");
        let flinks = read(&file);
        let flinks: BTreeSet<&str> =
            flinks.lines().filter(|line| !line.starts_with('#')).skip(1).collect();
        let equal = ours.iter().filter(|row| flinks.contains(row.as_str())).count();
        table += &format!(
            "| {name} | {bound_min} + {lateness_min} | {} | {} | {} | {equal} | {} | {} |\n",
            with_comma(made.late()),
            ours.len(),
            flinks.len(),
            made.dropped.len(),
            fields[5]
        );
    }
    shows(&table);
}

#[test]
fn the_three_orders_of_reading_are_those_of_the_tests() {
    let test = read("tests/lab05/step6_batch.rs");
    for (order, dropped) in [
        ("by arrival", 509),
        ("in turn, a hundred records of each", 186),
        ("one partition after the other", 142),
    ] {
        assert!(test.contains(order) && test.contains(&format!(", {dropped})")), "{order}");
        shows(&format!("| {order} | {dropped} |\n"));
    }
}

#[test]
fn the_figures_in_the_chapters_sentences_are_those_of_the_weeks() {
    let storm = log("storm");
    let once = made(&storm, 15, 0);
    says(&format!("{} are late, {} are dropped", with_comma(once.late()), once.dropped.len()));
    says(&once.dropped[0].reason.to_string());
    let corrected = made(&storm, 15, 60);
    let revision = corrected.results.iter().map(|result| result.revision).max();
    says(&format!("The most revised row has revision {}", revision.expect("there are results")));
    let new_rows = corrected.latest().len() - once.latest().len();
    assert_eq!(new_rows, 1, "the chapter says that one row is there only with the lateness");
    let swapped = made(&storm, 60, 15);
    assert_eq!(swapped.dropped.len(), corrected.dropped.len(), "a window is gone at the same slot");
    says(&format!("So the same {} are dropped", swapped.dropped.len()));
    let rows = [swapped.corrected_rows(), corrected.corrected_rows()];
    says(&format!("{} rows are corrected in place of {}", rows[0], rows[1]));
    says(&format!("More: {} in place of", made_in(10, &storm, 15, 0).dropped.len()));
    let more = once.dropped.len() - corrected.dropped.len();
    says(&format!("{more} more flights are on the board, and {} rows say", rows[1]));
    assert!(read("tests/lab05/flink/without-one-ms.csv").contains("\nedges,15,753,599,114,18\n"));
}

#[test]
fn the_gallery_shows_every_wrong_answer() {
    let answers = gallery_shows_every_wrong_answer("lab05");
    says(&format!("gallery of mistakes](lab05-mistakes.md): {answers} answers"));
}
