//! `checks all`: what `make test` runs. One stage after the other, each a process of its own, so
//! that one that dies takes no other with it. It ends with a table.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::cargo::{self, Run};
use crate::outcome::{NotRun, Outcome};
use crate::repo::Repo;

/// The stages in the order in which they run: what is quick and says most comes first. Each is a
/// subcommand and its name in the table.
const STAGES: [(&str, &str); 7] = [
    ("skeletons", "skeletons"),
    ("lints", "lints"),
    ("solutions", "solutions"),
    ("untouched", "untouched labs"),
    ("wrong", "wrong answers"),
    ("book", "book"),
    ("no-rebuild", "no rebuild"),
];

/// The names of the stages, as subcommands.
pub fn stage_names() -> Vec<&'static str> {
    STAGES.iter().map(|(command, _)| *command).collect()
}

/// What a stage found, and how long it took.
struct Row {
    name: &'static str,
    outcome: Outcome,
    took: Duration,
}

/// Runs all stages, shows what those that failed printed, and ends with the table. The output of
/// the stages in `shown` is shown in any case.
///
/// Returns whether everything is green.
///
/// # Errors
/// When a stage's log cannot be written.
pub fn run(repo: &Repo, shown: &[String]) -> Result<bool, NotRun> {
    let logs = repo.target.join("checks");
    std::fs::create_dir_all(&logs)?;
    // A stage may build this very program anew, and the file that runs would be gone.
    let program = logs.join("checks");
    std::fs::copy(std::env::current_exe()?, &program)?;
    let started = Instant::now();
    let mut rows = Vec::new();
    for (command, name) in STAGES {
        eprintln!("checks: {name} …");
        let stage_started = Instant::now();
        let log = logs.join(format!("{command}.log"));
        let (run, outcome) = run_stage(repo, &program, command)?;
        std::fs::write(&log, &run.output)?;
        let took = stage_started.elapsed();
        let row = Row { name, outcome, took };
        eprintln!("checks: {name} {} in {}", state(&row.outcome), span(took));
        if !row.outcome.is_green() || shown.iter().any(|name| name == command) {
            println!("--- {name} (kept in {})\n{}", log.display(), run.output);
        }
        rows.push(row);
    }
    println!("{}", table(&rows, started.elapsed()));
    Ok(rows.iter().all(|row| row.outcome.is_green()))
}

fn run_stage(repo: &Repo, program: &Path, stage: &str) -> Result<(Run, Outcome), NotRun> {
    let dir = tempfile::tempdir()?;
    let result = dir.path().join("outcome.json");
    let mut command = Command::new(program);
    cargo::learners_environment(&mut command);
    command.arg("--root").arg(&repo.root).arg("--outcome").arg(&result).arg(stage);
    let run = cargo::run(&mut command)?;
    let outcome = read_outcome(&result).unwrap_or_else(|| Outcome {
        not_run: Some(format!("it ended without a result: {}", run.status)),
        ..Outcome::default()
    });
    Ok((run, outcome))
}

fn read_outcome(path: &Path) -> Option<Outcome> {
    serde_json::from_str(&std::fs::read_to_string(path).ok()?).ok()
}

/// Writes a stage's outcome for `checks all` to read.
///
/// # Errors
/// When the file cannot be written.
pub fn write_outcome(path: &PathBuf, outcome: &Outcome) -> Result<(), NotRun> {
    let json = serde_json::to_string(outcome).map_err(|error| error.to_string())?;
    Ok(std::fs::write(path, json)?)
}

fn state(outcome: &Outcome) -> &'static str {
    match (&outcome.not_run, outcome.failed) {
        (Some(_), _) => "did not run",
        (None, 0) => "ok",
        _ => "FAILED",
    }
}

/// `38 s`, `6 min 41 s`.
fn span(time: Duration) -> String {
    match time.as_secs() {
        secs @ ..60 => format!("{secs} s"),
        secs => format!("{} min {} s", secs / 60, secs % 60),
    }
}

fn table(rows: &[Row], took: Duration) -> String {
    let width = |cell: fn(&Row) -> String| {
        rows.iter().map(|row| cell(row).chars().count()).max().unwrap_or(0)
    };
    let names = width(|row| row.name.to_owned());
    let scopes = width(|row| row.outcome.scope.clone());
    let spans = width(|row| span(row.took));
    let mut table = String::from("\n");
    for row in rows {
        let (scope, verdict) = (&row.outcome.scope, row.outcome.verdict_line());
        let took = span(row.took);
        table.push_str(&format!(
            " {:<names$}  {scope:<scopes$}  {took:>spans$}  {verdict}\n",
            row.name
        ));
    }
    let red = rows.iter().filter(|row| !row.outcome.is_green()).count();
    let took = span(took);
    table.push_str(&match red {
        0 => format!(" all good in {took}\n"),
        _ => format!(" {red} of {} stages not green, in {took}\n", rows.len()),
    });
    let sum = |count: fn(&Outcome) -> u64| rows.iter().map(|row| count(&row.outcome)).sum::<u64>();
    let failed = sum(|outcome| outcome.failed + u64::from(outcome.not_run.is_some()));
    table.push_str(&format!("{} passed, {failed} failed", sum(|outcome| outcome.passed)));
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &'static str, outcome: Outcome) -> Row {
        Row { name, outcome, took: Duration::from_secs(41) }
    }

    fn green() -> Outcome {
        let scope = "1 lab, 41 tests".to_owned();
        Outcome { scope, verdict: "passed".to_owned(), passed: 41, failed: 0, not_run: None }
    }

    #[test]
    fn a_green_table_says_all_good_and_counts() {
        let table = table(&[row("solutions", green())], Duration::from_secs(401));
        assert_eq!(
            table,
            "\n solutions  1 lab, 41 tests  41 s  passed\n all good in 6 min 41 s\n41 passed, 0 failed"
        );
    }

    #[test]
    fn what_did_not_run_is_shown_and_counts_as_failed() {
        let missing = Outcome { not_run: Some("no mdbook".to_owned()), ..Outcome::default() };
        let table = table(&[row("solutions", green()), row("book", missing)], Duration::ZERO);
        assert!(table.contains("NOT RUN: no mdbook"), "{table}");
        assert!(table.ends_with("1 of 2 stages not green, in 0 s\n41 passed, 1 failed"), "{table}");
    }
}
