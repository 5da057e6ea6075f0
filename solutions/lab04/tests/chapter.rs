//! The chapter shows what the program and Kafka's own tools print, and what a learner's red run says.

use std::fs::read_to_string;
use std::process::{Command, Stdio};
use std::time::Duration;

use flights::replay::arrival_order;
use flights::weeks::Week;
use lab04_solution::curve::{Point, measure};
use lab04_solution::processing_time::{Line, by_processing_time};
use testkit::page::{
    blocks, gallery_shows_every_wrong_answer, read, red_runs_are_on_record, root, with_prefix,
    without_prefix,
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_lab04-solution");

const MINUTE_MS: i64 = 60_000;

fn chapter() -> String {
    read("book/src/04-watermarks.md")
}

/// The commands of the chapter that show what is printed, each with that.
fn shown() -> Vec<(String, String)> {
    let chapter = chapter();
    let split = |block: &str| {
        let (command, output) = block.split_once('\n')?;
        Some((command.strip_prefix("$ ")?.to_owned(), output.to_owned()))
    };
    let commands = blocks(&chapter, "console").into_iter().filter_map(split);
    commands.filter(|(_, output)| !output.is_empty()).collect()
}

/// Runs a command of the chapter for the reference answer, and gives what it prints, with the names
/// of the chapter.
///
/// While a busy machine reads, partition 2 must not become idle, or the lines differ: here it has
/// more time for it than the chapter's reader.
fn printed(command: &str) -> String {
    let patient = if command.contains("--idle-after") { "" } else { " --idle-after 5" };
    let own = command
        .replace("cargo run -q -p lab04 -- --show", &format!("{PROGRAM}{patient} --show"))
        .replace("cargo run -q -p lab04 --", PROGRAM)
        .replace("lab04.calm", &with_prefix("lab04-solution.calm"));
    let output = Command::new("sh")
        .args(["-c", &own])
        .current_dir(root())
        .stdin(Stdio::null())
        .output()
        .expect("the command runs");
    assert!(output.status.success(), "{own}\n{}", String::from_utf8_lossy(&output.stderr));
    without_prefix(&String::from_utf8_lossy(&output.stdout)).replace("lab04-solution", "lab04")
}

#[test]
fn every_output_that_the_chapter_shows_is_what_is_printed() {
    // Fills the topics, where no run did before.
    printed("cargo run -q -p lab04 -- --idle-after off --show 0");
    let commands = shown();
    assert_eq!(commands.len(), 5, "the chapter has lost or won a command with its output");
    for (command, output) in commands {
        assert_eq!(printed(&command), output, "{command}");
    }
}

#[test]
fn every_red_run_that_the_chapter_shows_is_on_record() {
    red_runs_are_on_record("lab04", &chapter(), 4);
}

#[test]
fn the_curve_in_the_chapter_is_what_the_program_prints_and_draws() {
    let file = concat!(env!("CARGO_TARGET_TMPDIR"), "/lab04-chapter/curve.svg");
    let run = Command::new(PROGRAM).args(["curve", "--svg", file]).output().expect("it runs");
    let printed = String::from_utf8_lossy(&run.stdout);
    let tables = printed.split("Drawn in").next().unwrap_or_default();
    assert!(chapter().contains(tables), "the chapter does not show:\n{tables}");
    let drawn = read_to_string(file).expect("it was drawn");
    let command = "cargo run -p lab04-solution -- curve --svg book/src/img/curve.svg";
    assert!(drawn == read("book/src/img/curve.svg"), "the book's curve is another one: {command}");
}

fn point(week: Week, bound_min: u64) -> Point {
    measure(&week.load().departed, Duration::from_secs(60 * bound_min))
}

fn median_min(point: &Point) -> i64 {
    point.wait_quantile_ms(50).expect("windows have fired") / MINUTE_MS
}

#[test]
fn the_figures_in_the_chapters_sentences_are_those_of_the_weeks() {
    let calm = [0, 15, 60].map(|bound_min| point(Week::Calm, bound_min));
    let storm = point(Week::Storm, 15);
    let at_zero = [median_min(&calm[0]), median_min(&point(Week::Storm, 0))];
    assert_eq!(at_zero, [-8, -8], "the chapter says eight minutes before the end, in either week");
    let later = median_min(&calm[1]) - median_min(&calm[0]);
    let hour_later = median_min(&calm[2]) - median_min(&calm[1]);
    let longest = storm.waits_ms.iter().max().expect("windows have fired") / MINUTE_MS;
    assert_eq!(calm[1].late, 1_416);
    let skew = read("tests/lab04/step6_skew.rs");
    assert!(skew.contains("(minutes(60), 69)") && skew.contains("2,592 records are held"));
    assert!(read("tests/lab04/step5_idle.rs").contains("(0, 10, 343)"));
    // In a sentence a line break is a space.
    let sentences = chapter().split_whitespace().collect::<Vec<_>>().join(" ");
    for figure in [
        format!("a result comes {later} minutes later"),
        format!("wait {hour_later} minutes longer"),
        format!("{longest} minutes after its end"),
        "of which none was late, 343 are".to_owned(),
        format!("all 1,416 are **late**, and {} are **dropped**", calm[1].dropped),
    ] {
        assert!(sentences.contains(&figure), "the chapter does not say: {figure}");
    }
}

/// The figures of several lines together.
fn sum(lines: &[Line]) -> Line {
    let mut sum = Line::new();
    for (airport, flights) in lines.iter().flatten() {
        *sum.entry(airport.clone()).or_default() += flights;
    }
    sum
}

#[test]
fn no_line_of_the_second_board_is_a_sum_of_whole_lines_of_the_first() {
    let departed = arrival_order(Week::Calm.load().departed);
    let [first, second] = [3_600, 5_000].map(|speed| {
        assert!(chapter().contains(&format!(" {speed} times as fast")), "{speed}");
        by_processing_time(&departed, speed, Duration::from_secs(10))
    });
    let runs = (0..first.len()).flat_map(|from| (from + 1..=first.len()).map(move |to| from..to));
    let sums: Vec<Line> = runs.map(|run| sum(&first[run])).collect();
    for (index, line) in second.iter().enumerate() {
        assert!(!sums.contains(line), "line {index} is such a sum: {line:?}");
    }
}

#[test]
fn after_the_last_flight_of_the_storm_nothing_left_until_the_next_day() {
    let departed = Week::Storm.load().departed;
    let gaps = departed.windows(2).map(|two| (two[0].departed_ms(), two[1].departed_ms()));
    let (last_ms, next_ms) = gaps.max_by_key(|(one, next)| next - one).expect("there are flights");
    let at = [last_ms, next_ms].map(flights::utc::format);
    assert_eq!(at, ["2013-02-08T22:28:00Z", "2013-02-09T14:01:00Z"]);
}

/// One hour a night waits for the morning at 15 minutes, two at 60.
#[test]
fn in_each_of_the_seven_nights_of_the_calm_week_hours_stay_open() {
    for (bound_min, expected) in [(15, 7), (60, 14)] {
        let waits_ms = point(Week::Calm, bound_min).waits_ms;
        let of_a_night = waits_ms.iter().filter(|wait_ms| **wait_ms > 4 * 60 * MINUTE_MS).count();
        assert_eq!(of_a_night, expected, "bound {bound_min} min");
    }
}

/// The wrong watermark of the section *Break it on purpose*, without its module; then the same behind
/// one that is never taken back.
#[test]
fn a_watermark_that_follows_the_last_record_has_fewer_late_records() {
    let departed = Week::Calm.load().departed;
    let (mut late, mut late_behind_combined, mut combined_ms) = (0, 0, i64::MIN);
    for two in departed.windows(2) {
        let follows_ms = two[0].scheduled_ms - 15 * MINUTE_MS;
        combined_ms = combined_ms.max(follows_ms);
        late += usize::from(two[1].scheduled_ms < follows_ms);
        late_behind_combined += usize::from(two[1].scheduled_ms < combined_ms);
    }
    assert_eq!((late, late_behind_combined), (1_050, 1_416));
}

#[test]
fn what_is_said_of_flink_is_what_flink_said() {
    let without = read("tests/lab05/flink/without-one-ms.csv");
    assert!(without.contains("\ncalm,15,1619,695,372,0\n"), "{without}");
    assert!(read("data/lateness-year.md").contains("| 39,454 "));
}

#[test]
fn the_gallery_shows_every_wrong_answer() {
    let answers = gallery_shows_every_wrong_answer("lab04");
    let sentence = format!("gallery of mistakes](lab04-mistakes.md): {answers} answers");
    assert!(chapter().contains(&sentence), "the chapter does not say: {sentence}");
}
