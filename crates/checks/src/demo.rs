//! `checks demo`: the README's demo, from the files through a broker and the database to the board.

use std::process::Command;

use crate::cargo;
use crate::outcome::{NotRun, Outcome, Tally};
use crate::repo::Repo;

/// The storm week on one partition, bound 15 min: what SQL and Apache Flink say as well.
const ACCOUNT: [&str; 3] = [
    "5173 records read, 5173 of them by this run, 1070 of them late:",
    "4675 in 331 rows",
    "498 in ",
];

/// Runs `make demo` and looks for the account below its picture.
///
/// # Errors
/// When make cannot be started.
pub fn run(repo: &Repo) -> Result<Outcome, NotRun> {
    let mut command = Command::new("make");
    cargo::learners_environment(&mut command);
    let run = cargo::run(command.args(["--silent", "demo"]).current_dir(&repo.root))?;
    println!("{}", run.output);
    let missing = ACCOUNT.iter().find(|line| !run.output.contains(**line));
    let mut tally = Tally::default();
    tally.count(match (run.status.success(), missing) {
        (true, None) => Ok(()),
        (true, Some(line)) => Err(format!("`make demo` printed no `{line}`")),
        (false, _) => Err(format!("`make demo` failed: {}", run.status)),
    });
    Ok(tally.outcome("storm week".to_owned(), "5173 records read, 1070 of them late"))
}
