//! The chapter shows what the program and tests print and say, and its figures are computed here.

mod program;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::time::Duration;

use flights::Flight;
use flights::weeks::Week;
use lab04::guard::ALLOWED_AHEAD;
use lab05::board::BoardConfig;
use lab05::window::Window;
use lab06_solution::checkpoint::{FORMAT, JobState, decode, encode, restore, take};
use lab06_solution::crash::{CrashLine, Crashing, Effect, Log, Memory, crash_table};
use lab06_solution::store::Output;
use lab06_solution::turn::{Input, Record, finish, turn};
use program::said;
use testkit::page::{self, blocks, gallery_shows_every_wrong_answer, read, red_runs_are_on_record};

const TOPIC: &str = "lab06.calm";

fn chapter() -> String {
    read("book/src/06-checkpoints.md")
}

#[track_caller]
fn shows(text: &str) {
    page::shows(&chapter(), text);
}

/// In a sentence a line break is a space.
#[track_caller]
fn says(sentence: &str) {
    page::says(&chapter(), sentence);
}

/// How the board of the chapter counts: hours, bound 15 min.
fn board(lateness_h: u64) -> BoardConfig {
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    BoardConfig {
        window: minutes(60),
        bound: minutes(15),
        allowed_lateness: minutes(60 * lateness_h),
        idle_after: None,
        allowed_ahead: ALLOWED_AHEAD,
    }
}

/// A week as the records of one partition.
fn records(week: Week) -> Vec<Record> {
    let record = |(offset, flight): (usize, &Flight)| Record {
        partition: 0,
        offset: offset as i64,
        timestamp_ms: flight.departed_ms(),
        payload: lab01::event::encode(flight).expect("a flight of the week is a flight"),
    };
    week.load().departed.iter().enumerate().map(record).collect()
}

/// A job that has read nothing.
fn fresh(config: &BoardConfig) -> JobState {
    JobState::begin(&[(0, 0)].into(), config).expect("an hour is a window's length")
}

/// The tables of lab 05, which keep of two results of one row the later one, and of two with the
/// same revision that with more records.
#[derive(Default)]
struct Tables {
    rows: BTreeMap<(Window, String), (u32, u64)>,
    dropped: BTreeSet<i64>,
}

impl Tables {
    fn write(&mut self, output: &Output) {
        for result in &output.results {
            let row = self.rows.entry((result.window, result.key.clone())).or_default();
            *row = (*row).max((result.revision, result.delays.count));
        }
        self.dropped.extend(output.dropped.iter().map(|record| record.offset));
    }

    /// Takes these records into a state, and writes what they bring about.
    fn go_through(&mut self, state: &mut JobState, records: &[Record]) {
        for record in records {
            let output = state.process(&Input::Record(record.clone()), Duration::ZERO);
            self.write(&output);
            state.advance(record);
        }
    }

    fn end(mut self, mut state: JobState) -> Tables {
        let output = state.end();
        self.write(&output);
        self
    }
}

const CHECKPOINT_BEHIND: usize = 3_230;
const KILLED_BEHIND: usize = 3_250;
/// Where a group stands whose last commit was before the checkpoint.
const COMMITTED_BEFORE: usize = 3_210;

/// What a restart leaves in the tables: killed behind so many records of the calm week, gone on with
/// a state and an offset.
fn restarts() -> String {
    let (config, records) = (board(0), records(Week::Calm));
    let mut state = fresh(&config);
    let mut undisturbed = Tables::default();
    undisturbed.go_through(&mut state, &records);
    let expected = undisturbed.end(state);

    let mut state = fresh(&config);
    Tables::default().go_through(&mut state, &records[..CHECKPOINT_BEHIND]);
    let checkpoint = take(&state, 1, TOPIC);
    let restored = || restore(&checkpoint, &config).expect("it is of this board");
    let mut text = format!(
        "calm week, one partition: {CHECKPOINT_BEHIND} records, a checkpoint, {} more, kill -9, restart\n  \
         state        offset of           read again   missing   twice   wrong rows",
        KILLED_BEHIND - CHECKPOINT_BEHIND
    );
    for (what, offsets, state, offset) in [
        ("none", "the beginning", fresh(&config), 0),
        ("none", "the group", fresh(&config), KILLED_BEHIND),
        ("checkpoint", "the group, ahead", restored(), KILLED_BEHIND),
        ("checkpoint", "the group, behind", restored(), COMMITTED_BEFORE),
        ("checkpoint", "the checkpoint", restored(), CHECKPOINT_BEHIND),
    ] {
        let mut tables = Tables::default();
        tables.go_through(&mut fresh(&config), &records[..KILLED_BEHIND]);
        let mut state = state;
        tables.go_through(&mut state, &records[offset..]);
        let got = tables.end(state);
        let count = |tables: &Tables, row| tables.rows.get(row).map_or(0, |(_, count)| *count);
        let rows: BTreeSet<_> = got.rows.keys().chain(expected.rows.keys()).collect();
        let (mut missing, mut twice, mut wrong) = (0, 0, 0);
        for row in rows {
            let (got, expected) = (count(&got, row), count(&expected, row));
            missing += expected.saturating_sub(got);
            twice += got.saturating_sub(expected);
            wrong += u64::from(got != expected);
        }
        let again = KILLED_BEHIND - offset;
        let _ = write!(
            text,
            "\n  {what:<10}   {offsets:<17}   {again:>10}   {missing:>7}   {twice:>5}   {wrong:>10}"
        );
    }
    text
}

/// The output that the chapter shows of a command.
fn shown(command: &str) -> String {
    let chapter = chapter();
    let begin = format!("$ {command}\n");
    let block =
        blocks(&chapter, "console").into_iter().find_map(|block| block.strip_prefix(&begin));
    block.unwrap_or_else(|| panic!("the chapter does not show: {command}")).to_owned()
}

/// What a run of the reference answer prints, for a job of this test's own, with the chapter's names.
fn printed(job: &str, arguments: &[&str]) -> String {
    let own = [&["--job", job, "--partitions", "1"], arguments].concat();
    said(&own).replace(job, "lab06").replace("lab06-solution", "lab06")
}

#[test]
fn a_run_prints_what_the_chapter_and_the_readme_show() {
    let expected = shown("cargo run -q -p lab06 -- --partitions 1");
    // A busy machine may take longer than the second after which another checkpoint is due.
    assert_eq!(printed("lab06_chapter", &["--checkpoint-every", "60"]), expected);
    let readme = read("README.md").replace("lab06-solution", "lab06");
    let readme = readme.replace("lab06_solution", "lab06");
    let board = expected.split("        0 in lab06.dead_letters").next().unwrap_or_default();
    assert!(readme.contains(board), "README.md does not show:\n{board}");
}

/// Without what is another one in each run: the times, and whether a commit was quicker than its kill.
fn without_chances(printed: &str) -> String {
    let times = ["from a kill", "under ", "longer ", "not measured"];
    let is_time = |line: &&str| times.iter().any(|begin| line.trim_start().starts_with(begin));
    let lines = printed.lines().filter(|line| !is_time(line));
    lines
        .map(|line| line.split(" its transaction").next().unwrap_or_default().to_owned() + "\n")
        .collect()
}

#[test]
fn kills_print_what_the_chapter_shows() {
    let expected = shown("cargo run -q -p lab06 -- --chaos --partitions 1");
    let printed = printed("lab06_chapter_kills", &["--chaos"]);
    assert_eq!(without_chances(&printed), without_chances(&expected));
}

/// A job that follows its topic and is stopped behind its last record, and one that goes on from there.
#[test]
fn what_a_stop_leaves_open_is_what_the_chapter_says() {
    let config = board(0);
    let mut state = fresh(&config);
    let mut tables = Tables::default();
    tables.go_through(&mut state, &records(Week::Storm));
    let counted = |tables: &Tables| tables.rows.values().map(|(_, count)| count).sum::<u64>();
    let (rows, flights) = (tables.rows.len(), counted(&tables));
    let open = state.board.aggregation().state().records_in_open();
    let ended = tables.end(state);
    says(&format!("`{open} in windows that have not fired`"));
    says(&format!("{open} flights in {} rows", ended.rows.len() - rows));
    says(&format!("the {},{:03} in {rows} rows", flights / 1_000, flights % 1_000));
    assert_eq!(counted(&ended), flights + open);
    assert!(read("solutions/lab06/src/store.rs").contains("session_timeout = '10s'"));
}

#[test]
fn the_chapter_shows_what_each_kind_of_restart_leaves() {
    let table = restarts();
    shows(&table);
    let missing = table.lines().nth(3).and_then(|line| line.split_whitespace().nth(4));
    says(&format!("{} flights had been read, lay in windows", missing.expect("a column")));
    let again = KILLED_BEHIND - CHECKPOINT_BEHIND;
    says(&format!("{again} records were processed twice"));
}

#[tokio::test]
async fn the_chapter_shows_the_crash_table_of_the_reference_answer() {
    let turn = async |effects: &mut Crashing<Memory>| turn(effects).await;
    let finish = async |effects: &mut Crashing<Memory>| finish(effects).await;
    let table = crash_table(Log::OnePartition, turn, finish).await;
    assert!(table.is_all_zeros(), "{table}");
    shows(&table.to_string());
    let tried = |line: &CrashLine| line.crashes;
    let answered = table.lines.iter().filter(|line| line.after != Effect::CommitUnanswered);
    says(&format!("once each, {} times", answered.map(tried).sum::<usize>()));
}

/// The tests that print these tables hold their figures; this one holds the chapter to them.
#[test]
fn the_chapter_shows_the_tables_that_tests_with_servers_print() {
    let job = read("tests/lab06/step4_job.rs");
    assert!(job.contains("41 records, Kafka and PostgreSQL, one crash, then a restart"));
    let effects = [
        Effect::Poll,
        Effect::Process,
        Effect::Emit,
        Effect::Advance,
        Effect::End,
        Effect::Snapshot,
        Effect::Write,
        Effect::Commit,
    ];
    let mut table = "41 records, Kafka and PostgreSQL, one crash, then a restart\n  \
                     crash after        rows lost   rows else"
        .to_owned();
    for effect in effects {
        let _ = write!(table, "\n  {:<18} {:>9} {:>10}", effect.name(), 0, 0);
    }
    shows(&table);

    let recovery = read("tests/lab06/step3_recovery.rs");
    assert!(recovery.contains(r#"("the group, ahead", 16, -4), ("the group, behind", 8, 4)"#));
    let mut table = "20 records, the last checkpoint behind 12 of them, then a crash\n  \
                     offsets of                  lost   repeated"
        .to_owned();
    for (what, lost, repeated) in
        [("the group, ahead", 4, 0), ("the group, behind", 0, 4), ("the checkpoint", 0, 0)]
    {
        let _ = write!(table, "\n  {what:<25} {lost:>6} {repeated:>10}");
    }
    shows(&table);
}

#[test]
fn every_red_run_that_the_chapter_shows_is_on_record() {
    red_runs_are_on_record("lab06", &chapter(), 6);
}

#[test]
fn the_checkpoint_that_the_chapter_shows_is_that_of_two_flights() {
    let mut state = fresh(&board(0));
    Tables::default().go_through(&mut state, &records(Week::Calm)[..2]);
    let bytes = encode(&take(&state, 1, TOPIC));
    shows(&String::from_utf8(bytes).expect("it is text"));
}

/// How many windows a job keeps at most in the storm week, and how large its checkpoint is then.
fn largest(lateness_h: u64) -> (usize, usize) {
    let mut state = fresh(&board(lateness_h));
    let mut largest = (0, 0);
    for record in records(Week::Storm) {
        Tables::default().go_through(&mut state, &[record]);
        let kept = state.board.aggregation().state().kept();
        if kept >= largest.0 {
            largest = largest.max((kept, encode(&take(&state, 1, TOPIC)).len()));
        }
    }
    largest
}

#[test]
fn the_chapter_shows_how_a_checkpoint_grows_with_the_allowed_lateness() {
    let mut table = "| allowed lateness | windows kept, at most | bytes of the checkpoint then |\n\
                     |--:|--:|--:|"
        .to_owned();
    let sizes = [0, 1, 6, 24].map(|lateness_h| (lateness_h, largest(lateness_h)));
    says(&format!("the difference of {} between", sizes[3].1.1 / sizes[0].1.1));
    for (lateness_h, (windows, bytes)) in sizes {
        let thousands = format!("{},{:03}", bytes / 1_000, bytes % 1_000);
        let _ = write!(table, "\n| {lateness_h} h | {windows} | {thousands} |");
    }
    shows(&table);
}

#[test]
fn a_flipped_digit_is_valid_json_and_no_checkpoint() {
    let mut state = fresh(&board(0));
    Tables::default().go_through(&mut state, &records(Week::Calm)[..2]);
    let good = String::from_utf8(encode(&take(&state, 1, TOPIC))).expect("it is text");
    let flipped = good.replacen("\"next_offset\": 2", "\"next_offset\": 3", 1);
    assert_ne!(good, flipped);
    let error = decode(flipped.as_bytes()).expect_err("a digit is another one").to_string();
    shows(&error);
    let (_, body) = flipped.split_once('\n').expect("there is a head line");
    serde_json::from_str::<serde_json::Value>(body).expect("it is JSON all the same");
    let newer = good.replacen(&format!("{FORMAT} 2 "), &format!("{FORMAT} 3 "), 1);
    shows(&decode(newer.as_bytes()).expect_err("nobody knows version 3").to_string());
}

#[test]
fn the_gallery_shows_every_wrong_answer() {
    let answers = gallery_shows_every_wrong_answer("lab06");
    says(&format!("gallery of mistakes](lab06-mistakes.md): {answers} answers"));
}
