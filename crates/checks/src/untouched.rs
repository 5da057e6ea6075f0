//! `checks untouched`: an untouched lab is red for the right reason, and says what to do next.
//!
//! Runs `cargo test -p labNN` as a learner does and holds what it printed, and what testkit
//! reported beside it, against the rules.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Instant;

use crate::at_once::two_at_once;
use crate::cargo::{self, Run};
use crate::libtest::{self, Kind, Report, Verdict, Verdicts};
use crate::outcome::{NotRun, Outcome, Suites, Tally, plural};
use crate::repo::{Repo, files_below};
use crate::syntax::{Source, step_named};

/// Runs every untouched lab.
///
/// # Errors
/// When there is no lab, or cargo cannot be started.
pub fn run(repo: &Repo, asked: &[String]) -> Result<Outcome, NotRun> {
    let labs = repo.chosen_labs(asked)?;
    if labs.is_empty() {
        return Err("no lab in `labs`".into());
    }
    let mut tally = Tally::default();
    let mut tests = 0;
    let began = Instant::now();
    let runs = two_at_once(&labs, |lab| run_lab(repo, lab));
    for (lab, run) in labs.iter().zip(runs) {
        let (run, reports) = run?;
        let failed_before = tally.failures.len();
        match libtest::verdicts(&run.output) {
            Ok(verdicts) => {
                tests += verdicts.len();
                check(&repo.root, lab, &run, &verdicts, &reports, &mut tally)?;
            }
            Err(why) => tally.fail(format!("{lab}: {why}")),
        }
        if tally.failures.len() > failed_before {
            println!("cargo test -p {lab} printed:\n{}", run.output);
        }
    }
    let scope = format!("{}, {}", plural(labs.len(), "lab"), plural(tests, "test"));
    let suites = Suites { tests: tests as u64, took: began.elapsed() };
    let outcome = tally.outcome(scope, "fail at their own todo");
    Ok(Outcome { suites: Some(suites), ..outcome })
}

fn run_lab(repo: &Repo, lab: &str) -> Result<(Run, BTreeMap<String, Report>), NotRun> {
    let dir = tempfile::tempdir()?;
    let report = dir.path().join("report.jsonl");
    let mut command = cargo::cargo(&repo.root);
    let run = cargo::run(command.args(["test", "-p", lab]).env("TIDEMARK_REPORT", &report))?;
    let text = std::fs::read_to_string(&report).unwrap_or_default();
    let reports = libtest::reports(&text)?;
    Ok((run, reports))
}

fn check(
    root: &Path,
    lab: &str,
    run: &Run,
    verdicts: &Verdicts,
    reports: &BTreeMap<String, Report>,
    tally: &mut Tally,
) -> Result<(), NotRun> {
    if verdicts.is_empty() {
        tally.fail(format!("{lab}: no test ran"));
        return Ok(());
    }
    for (test, verdict) in verdicts {
        let judged = judge(test, *verdict, reports.get(test));
        tally.count(judged.map_err(|why| format!("{lab}: {test}: {why}")));
    }
    let holes = holes(&root.join("labs").join(lab).join("src"))?;
    tally.count(every_step_has_a_test(&holes, verdicts).map_err(|why| format!("{lab}: {why}")));
    if run.status.success() {
        tally.fail(format!("{lab}: cargo test ended with exit code 0"));
    }
    let ending = check_ending(root, lab, &run.output, &holes);
    tally.count(ending.map_err(|why| format!("{lab}: the end of the output: {why}")));
    Ok(())
}

/// A test of given code passes. Every other one reaches the `todo!` of its own step.
fn judge(test: &str, verdict: Verdict, report: Option<&Report>) -> Result<(), String> {
    match (libtest::is_given(test), verdict) {
        (_, Verdict::Ignored | Verdict::ForAnotherTest) => {
            return Err("is ignored; a skip must not look like a pass".into());
        }
        (true, Verdict::Passed) => return Ok(()),
        (true, Verdict::Failed) => return Err("is of given code, but fails".into()),
        (false, Verdict::Passed) => return Err("passes on an untouched lab".into()),
        (false, Verdict::Failed) => {}
    }
    let step = libtest::step_of(test).ok_or("is in no module `stepN_…`")?;
    let report = report.ok_or("fails, but testkit reported nothing of it")?;
    match (report.kind, report.todo_step) {
        (Kind::Todo, Some(todo)) if todo == step => Ok(()),
        (Kind::Todo, Some(todo)) => Err(format!("stops at a todo of step {todo}, not its own")),
        (Kind::Todo, None) => Err(format!("stops at a todo without a step: {}", report.message)),
        (Kind::Failure, _) => Err(format!("fails for another reason: {}", report.message)),
    }
}

/// A `todo!` of a lab: its step, file (relative to `src`) and line.
#[derive(Debug, PartialEq, Eq)]
struct Hole {
    step: u32,
    file: String,
    line: usize,
}

fn holes(src: &Path) -> Result<Vec<Hole>, NotRun> {
    let mut holes = Vec::new();
    for file in files_below(src)? {
        let text = std::fs::read_to_string(src.join(&file))?;
        if file.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let file = file.to_string_lossy().replace('\\', "/");
        let source = Source::parse(text).map_err(|error| format!("{file}: {error}"))?;
        for todo in source.all_todos()? {
            if let Some(step) = todo.text.as_deref().and_then(step_named) {
                holes.push(Hole { step, file: file.clone(), line: todo.line });
            }
        }
    }
    Ok(holes)
}

fn every_step_has_a_test(holes: &[Hole], verdicts: &Verdicts) -> Result<(), String> {
    let with_hole: BTreeSet<u32> = holes.iter().map(|hole| hole.step).collect();
    let with_test: BTreeSet<u32> = verdicts
        .keys()
        .filter(|test| !libtest::is_given(test))
        .filter_map(|test| libtest::step_of(test))
        .collect();
    if with_hole == with_test {
        return Ok(());
    }
    Err(format!("steps with holes {with_hole:?}, steps with tests {with_test:?}"))
}

/// The last three lines tell a learner what to do next:
/// ```text
/// Next: step 1, a flight as strict JSON. labs/lab01/src/event.rs:42. Then: cargo test -p lab01 step1
/// Chapter: book/src/01-topics-and-events.md, "Step 1"
/// error: test failed, to rerun pass `-p lab01 --test lab01`
/// ```
fn check_ending(root: &Path, lab: &str, output: &str, holes: &[Hole]) -> Result<(), String> {
    let mut lines = output.lines().rev().filter(|line| !line.trim().is_empty());
    let mut last = || lines.next().unwrap_or_default();
    let error = last();
    if !error.starts_with(&format!("error: test failed, to rerun pass `-p {lab}")) {
        return Err(format!("expected cargo's `error: test failed`, found `{error}`"));
    }
    let chapter = last();
    let page = chapter.strip_prefix("Chapter: ").and_then(|rest| rest.split([',', ' ']).next());
    match page {
        Some(page) if page.ends_with(".md") && root.join(page).is_file() => {}
        _ => return Err(format!("expected `Chapter: ` and a page of the book, found `{chapter}`")),
    }
    let next = last();
    check_next(lab, next, holes).map_err(|why| format!("{why}, found `{next}`"))
}

/// `Next: step 1, ….  <file>:<line>. Then: <command>`, where the line is that of a hole of step 1.
fn check_next(lab: &str, next: &str, holes: &[Hole]) -> Result<(), String> {
    if !next.starts_with("Next: step 1, ") {
        return Err("expected `Next: step 1, `".to_owned());
    }
    let command = format!("cargo test -p {lab} step1");
    if !next.trim_end().ends_with(&command) {
        return Err(format!("expected `{command}` at its end"));
    }
    let prefix = format!("labs/{lab}/src/");
    let place = next
        .split_whitespace()
        .find_map(|word| word.strip_prefix(prefix.as_str()))
        .ok_or_else(|| format!("expected a place in {prefix}"))?;
    let is_hole = holes.iter().any(|hole| {
        hole.step == 1
            && place.trim_end_matches(['.', ',']) == format!("{}:{}", hole.file, hole.line)
    });
    if is_hole { Ok(()) } else { Err("expected the file and line of a hole of step 1".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn todo_report(step: Option<u32>) -> Report {
        let message = "not yet implemented".to_owned();
        Report { test: String::new(), kind: Kind::Todo, todo_step: step, message }
    }

    #[test]
    fn a_test_that_reaches_its_own_todo_is_right() {
        assert_eq!(judge("step2_a::b", Verdict::Failed, Some(&todo_report(Some(2)))), Ok(()));
        assert_eq!(judge("step2_a::given_b", Verdict::Passed, None), Ok(()));
    }

    #[test]
    fn every_other_end_of_a_test_is_wrong() {
        let failure = Report { kind: Kind::Failure, ..todo_report(None) };
        for (test, verdict, report, why) in [
            ("step2_a::b", Verdict::Passed, None, "passes on an untouched lab"),
            ("step2_a::b", Verdict::Ignored, None, "is ignored"),
            ("step2_a::b", Verdict::Failed, None, "reported nothing"),
            ("step2_a::b", Verdict::Failed, Some(todo_report(Some(1))), "a todo of step 1"),
            ("step2_a::b", Verdict::Failed, Some(todo_report(None)), "without a step"),
            ("step2_a::b", Verdict::Failed, Some(failure), "for another reason"),
            ("other::b", Verdict::Failed, Some(todo_report(Some(1))), "in no module"),
            ("step2_a::given_b", Verdict::Failed, None, "given code, but fails"),
        ] {
            let error = judge(test, verdict, report.as_ref()).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn a_step_without_a_test_is_found() {
        let hole = |step| Hole { step, file: "event.rs".to_owned(), line: 3 };
        let verdicts = Verdicts::from([
            ("step1_a::b".to_owned(), Verdict::Failed),
            ("step2_a::given_b".to_owned(), Verdict::Passed),
        ]);
        assert_eq!(every_step_has_a_test(&[hole(1)], &verdicts), Ok(()));
        assert!(every_step_has_a_test(&[hole(1), hole(2)], &verdicts).is_err());
    }

    fn ending(next: &str, chapter: &str) -> Result<(), String> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("book/src")).unwrap();
        std::fs::write(dir.path().join("book/src/01.md"), "").unwrap();
        let output = format!(
            "test result: FAILED. 0 passed; 2 failed\n\n{next}\n{chapter}\n\
             error: test failed, to rerun pass `-p lab01 --test lab01`\n"
        );
        let holes = [Hole { step: 1, file: "event.rs".to_owned(), line: 42 }];
        check_ending(dir.path(), "lab01", &output, &holes)
    }

    #[test]
    fn the_end_names_the_next_step_its_place_and_its_command() {
        let chapter = "Chapter: book/src/01.md, \"Step 1\"";
        let next =
            "Next: step 1, JSON. labs/lab01/src/event.rs:42. Then: cargo test -p lab01 step1";
        assert_eq!(ending(next, chapter), Ok(()));
        for (from, to) in [
            ("step 1,", "step 2,"),
            (":42", ":43"),
            ("lab01 step1", "lab01"),
            ("labs/lab01/src/event.rs:42", ""),
        ] {
            assert!(ending(&next.replace(from, to), chapter).is_err(), "{from}");
        }
        assert!(ending(next, "Chapter: book/src/02.md").is_err());
        assert!(ending(next, "").is_err());
    }

    #[test]
    fn an_end_without_cargos_error_is_wrong() {
        let error = check_ending(Path::new("."), "lab01", "test result: ok.\n", &[]).unwrap_err();
        assert!(error.contains("error: test failed"), "{error}");
    }
}
