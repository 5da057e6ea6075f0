//! `checks all`: what `make test` runs. One stage after the other, each a process of its own, so
//! that one that dies takes no other with it. It ends with a table.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::cargo::{self, Run};
use crate::engine;
use crate::outcome::{NotRun, Outcome};
use crate::repo::Repo;
use crate::table::{Row, span, state, table};

/// The variable that tells the rig where the servers come from.
const PROVIDER: &str = "TIDEMARK_RIG";

/// A part of `checks all`.
struct Stage {
    /// Its subcommand.
    command: &'static str,
    /// Its name in the table.
    name: &'static str,
    /// With which providers it runs, where several are asked for.
    with: With,
}

/// Which of the providers that are asked for a stage runs with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum With {
    /// Once, with the first of them.
    First,
    /// Once with each of them.
    Each,
}

/// The stages in the order in which they run: what is quick and says most comes first.
const STAGES: [Stage; 13] = [
    Stage { command: "skeletons", name: "skeletons", with: With::First },
    Stage { command: "secrets", name: "secrets", with: With::First },
    Stage { command: "lints", name: "lints", with: With::First },
    Stage { command: "tls", name: "tls", with: With::First },
    Stage { command: "solutions", name: "solutions", with: With::Each },
    Stage { command: "untouched", name: "untouched labs", with: With::Each },
    Stage { command: "wrong", name: "wrong answers", with: With::First },
    Stage { command: "crates", name: "crates", with: With::First },
    Stage { command: "containers", name: "containers", with: With::First },
    Stage { command: "compose", name: "compose", with: With::First },
    Stage { command: "book", name: "book", with: With::First },
    Stage { command: "no-rebuild", name: "no rebuild", with: With::First },
    Stage { command: "demo", name: "demo", with: With::Each },
];

/// The names of the stages, as subcommands.
pub fn stage_names() -> Vec<&'static str> {
    STAGES.iter().map(|stage| stage.command).collect()
}

impl Stage {
    /// The providers to run with; one that nobody named is the rig's own choice.
    fn providers<'a>(&self, asked: &'a [String]) -> Vec<Option<&'a str>> {
        let mut providers: Vec<_> = asked.iter().map(|name| Some(name.as_str())).collect();
        if providers.is_empty() {
            providers.push(None);
        }
        if self.with == With::First {
            providers.truncate(1);
        }
        providers
    }
}

/// Runs all stages, shows what those that failed printed, and ends with the table. The output of
/// the stages in `shown` is shown in any case. Without a provider that is asked for, the rig takes
/// the one that it finds.
///
/// Returns whether everything is green.
///
/// # Errors
/// When a stage's log cannot be written.
pub fn run(repo: &Repo, shown: &[String], asked: &[String]) -> Result<bool, NotRun> {
    let logs = repo.target.join("checks");
    std::fs::create_dir_all(&logs)?;
    // A stage may build this very program anew, and the file that runs would be gone.
    let program = logs.join("checks");
    std::fs::copy(std::env::current_exe()?, &program)?;
    let started = Instant::now();
    let mut rows = Vec::new();
    for stage in &STAGES {
        for provider in stage.providers(asked) {
            let named = provider.filter(|_| stage.with == With::Each);
            let name = stage.name;
            let full_name = named.map_or(name.to_owned(), |provider| format!("{name}, {provider}"));
            eprintln!("checks: {full_name} …");
            let began = Instant::now();
            let (run, outcome) = run_with(repo, &program, stage, provider)?;
            let log = logs.join(format!("{}.log", full_name.replace([',', ' '], "-")));
            std::fs::write(&log, &run)?;
            let row = Row {
                stage: name,
                provider: named.map(str::to_owned),
                outcome,
                took: began.elapsed(),
            };
            eprintln!("checks: {full_name} {} in {}", state(&row.outcome), span(row.took));
            if !row.outcome.is_green() || shown.iter().any(|name| name == stage.command) {
                println!("--- {full_name} (kept in {})\n{run}", log.display());
            }
            rows.push(row);
        }
    }
    println!("{}", table(&rows, started.elapsed()));
    Ok(rows.iter().all(|row| row.outcome.is_green()))
}

/// Runs a stage, but for one with containers where no engine answers. Returns what it printed.
fn run_with(
    repo: &Repo,
    program: &Path,
    stage: &Stage,
    provider: Option<&str>,
) -> Result<(String, Outcome), NotRun> {
    if provider == Some("containers")
        && let Some(why) = engine::missing(repo)?
    {
        return Ok((String::new(), Outcome::left_out(why)));
    }
    let (run, outcome) = run_stage(repo, program, stage.command, provider)?;
    Ok((run.output, outcome))
}

fn run_stage(
    repo: &Repo,
    program: &Path,
    stage: &str,
    provider: Option<&str>,
) -> Result<(Run, Outcome), NotRun> {
    let dir = tempfile::tempdir()?;
    let result = dir.path().join("outcome.json");
    let mut command = Command::new(program);
    cargo::learners_environment(&mut command);
    command.envs(provider.map(|provider| (PROVIDER, provider)));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_runs_with_each_provider_or_with_one_of_them() {
        let asked = ["local".to_owned(), "containers".to_owned()];
        let stage = |with| Stage { command: "demo", name: "demo", with };
        assert_eq!(stage(With::Each).providers(&asked), [Some("local"), Some("containers")]);
        assert_eq!(stage(With::First).providers(&asked), [Some("local")]);
        assert_eq!(stage(With::Each).providers(&[]), [None]);
    }
}
