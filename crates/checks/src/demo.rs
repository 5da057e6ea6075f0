//! `checks demo`: the README's demo, from the files through a broker to the departures list.

use std::process::Command;

use crate::cargo;
use crate::outcome::{NotRun, Outcome, Tally};
use crate::repo::Repo;

/// What stands above the list.
const HEADING: &str = "New York departures, ";

/// Runs `make demo` and looks for its list.
///
/// # Errors
/// When make cannot be started.
pub fn run(repo: &Repo) -> Result<Outcome, NotRun> {
    let mut command = Command::new("make");
    cargo::learners_environment(&mut command);
    let run = cargo::run(command.args(["--silent", "demo"]).current_dir(&repo.root))?;
    println!("{}", run.output);
    let heading = run.output.lines().find_map(|line| line.strip_prefix(HEADING));
    let mut tally = Tally::default();
    tally.count(match (run.status.success(), heading) {
        (true, Some(_)) => Ok(()),
        (true, None) => Err(format!("`make demo` printed no `{HEADING}`")),
        (false, _) => Err(format!("`make demo` failed: {}", run.status)),
    });
    Ok(tally.outcome("calm week".to_owned(), heading.unwrap_or_default()))
}
