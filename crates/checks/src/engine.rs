//! `checks containers`: the tests that need a Docker engine. And whether there is one.

use crate::cargo;
use crate::libtest;
use crate::outcome::{NotRun, Outcome, Tally, plural};
use crate::repo::Repo;
use crate::solutions;

/// Why there is no engine, where whoever calls knows it better than the rig can.
const NO_ENGINE: &str = "TIDEMARK_NO_ENGINE";

/// Why no Docker engine can be used here; `None` when one answers.
///
/// # Errors
/// When the rig's program cannot be run.
pub fn missing(repo: &Repo) -> Result<Option<String>, NotRun> {
    if let Some(why) = std::env::var(NO_ENGINE).ok().filter(|why| !why.is_empty()) {
        return Ok(Some(why));
    }
    let mut rig = cargo::cargo(&repo.root);
    let asked = rig.args(["run", "--quiet", "-p", "rig-program", "--", "engine"]).output()?;
    let said = String::from_utf8_lossy(&asked.stdout);
    Ok((!asked.status.success()).then(|| said.trim().to_owned()))
}

/// Runs every test program that a bare `cargo test` leaves out.
///
/// # Errors
/// When cargo cannot be started.
pub fn run(repo: &Repo) -> Result<Outcome, NotRun> {
    if let Some(why) = missing(repo)? {
        return Ok(Outcome::left_out(why));
    }
    let mut tally = Tally::default();
    let mut programs = 0;
    for package in &repo.packages {
        for program in &package.engine_tests {
            let arguments = ["test", "-p", &package.name, "--test", program, "--no-fail-fast"];
            let run = cargo::run_apart(cargo::cargo(&repo.root).args(arguments))?;
            println!("cargo test -p {} --test {program}", package.name);
            for line in libtest::result_lines(&run.output) {
                println!("{line}");
            }
            solutions::count_tests(&format!("{}, {program}", package.name), &run, &mut tally);
            programs += 1;
        }
    }
    let tests = plural(tally.all() as usize, "test");
    let scope = format!("{}, {tests}", plural(programs, "test program"));
    Ok(tally.outcome(scope, "passed, on a Docker engine"))
}
