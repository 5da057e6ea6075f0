//! `checks solutions` and `checks crates`: the tests of everything but the untouched labs, with
//! real Kafka and PostgreSQL.

use std::time::Instant;

use crate::at_once::two_at_once;
use crate::cargo::{self, Run};
use crate::libtest::{self, Verdict};
use crate::outcome::{NotRun, Outcome, Suites, Tally, plural};
use crate::repo::{Package, Repo};

/// Runs the labs' suites on the reference answers.
///
/// # Errors
/// When there is no solution, or cargo cannot be started.
pub fn run(repo: &Repo) -> Result<Outcome, NotRun> {
    let solutions = repo.solutions()?.len();
    if solutions == 0 {
        return Err("no solution in `solutions`: this tree is a hand-out".into());
    }
    let mut tally = Tally::default();
    let mut servers = Servers::default();
    let (suites, all_said) = suites(repo, Labs::All, &[], &mut tally)?;
    all_said.iter().for_each(|said| servers.read(said));
    let rig = cargo::cargo(&repo.root)
        .args(["run", "-q", "-p", "rig-program", "--", "status"])
        .output()?;
    servers.read(&String::from_utf8_lossy(&rig.stdout));
    let tests = tally.passed as usize + tally.failures.len();
    let scope = format!("{}, {}", plural(solutions, "lab"), plural(tests, "test"));
    let outcome = tally.outcome(scope, format!("passed; {}", servers.show()));
    Ok(Outcome { suites: Some(suites), ..outcome })
}

/// Runs the tests of the packages that are neither labs nor suites of labs.
///
/// # Errors
/// When cargo cannot be started.
pub fn run_crates(repo: &Repo) -> Result<Outcome, NotRun> {
    let mut tally = Tally::default();
    let is_crate = |package: &&Package| !package.is_lab() && !package.is_suite();
    // The rig's program takes longest, and stands near the end.
    let packages: Vec<_> = repo.packages.iter().rev().filter(is_crate).collect();
    let scope = plural(packages.len(), "crate");
    test_all(repo, packages, &[], &mut tally)?;
    let tests = tally.passed as usize + tally.failures.len();
    let scope = format!("{scope}, {}", plural(tests, "test"));
    Ok(tally.outcome(scope, "passed"))
}

/// Which labs' suites run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Labs {
    /// Those of all labs.
    All,
    /// That of the first lab: enough to see that servers serve.
    First,
}

/// Runs labs' suites in this environment. Returns what they took and what each has printed.
///
/// # Errors
/// When cargo cannot be started.
pub fn suites(
    repo: &Repo,
    labs: Labs,
    environment: &[(&str, &str)],
    tally: &mut Tally,
) -> Result<(Suites, Vec<String>), NotRun> {
    let (began, before) = (Instant::now(), tally.all());
    let is_asked = |package: &&Package| labs == Labs::All || package.is_of_first_lab();
    let suites = repo.packages.iter().filter(|package| package.is_suite());
    // A later lab has more to do, and what takes longest comes first.
    let packages = suites.rev().filter(is_asked).collect();
    let said = test_all(repo, packages, environment, tally)?;
    Ok((Suites { tests: tally.all() - before, took: began.elapsed() }, said))
}

/// Tests these packages and counts. Returns what each has printed.
fn test_all(
    repo: &Repo,
    packages: Vec<&Package>,
    environment: &[(&str, &str)],
    tally: &mut Tally,
) -> Result<Vec<String>, NotRun> {
    let runs = two_at_once(&packages, |package| {
        test(repo, package, environment).map(|run| (package.name.clone(), run))
    });
    let mut said = Vec::new();
    for run in runs {
        let (package, run) = run?;
        count(&package, &run, tally);
        said.push(run.output);
    }
    Ok(said)
}

/// `cargo test -p` of one package.
fn test(repo: &Repo, package: &Package, environment: &[(&str, &str)]) -> Result<Run, NotRun> {
    let mut command = cargo::cargo(&repo.root);
    command.args(["test", "-p", &package.name, "--no-fail-fast"]);
    cargo::run_apart(command.envs(environment.iter().copied()))
}

/// Prints the results of one package's tests, and counts them.
fn count(package: &str, run: &Run, tally: &mut Tally) {
    println!("cargo test -p {package}");
    for line in libtest::result_lines(&run.output) {
        println!("{line}");
    }
    count_tests(package, run, tally);
}

/// Counts the tests of one run of `cargo test`.
pub fn count_tests(package: &str, run: &Run, tally: &mut Tally) {
    let failed_before = tally.failures.len();
    match libtest::verdicts(&run.output) {
        Ok(verdicts) => {
            for (test, verdict) in
                verdicts.into_iter().filter(|(_, v)| *v != Verdict::ForAnotherTest)
            {
                tally.count(passed(verdict).map_err(|why| format!("{package}: {test} {why}")));
            }
        }
        Err(why) => tally.fail(format!("{package}: {why}")),
    }
    if !run.status.success() {
        if tally.failures.len() == failed_before {
            tally.fail(format!("{package}: cargo test failed: {}", run.status));
        }
        println!("{}", run.output);
    }
}

fn passed(verdict: Verdict) -> Result<(), String> {
    match verdict {
        Verdict::Passed => Ok(()),
        Verdict::Failed => Err("fails".to_owned()),
        Verdict::Ignored | Verdict::ForAnotherTest => {
            Err("is ignored; a skip must not look like a pass".to_owned())
        }
    }
}

/// The versions of the servers that the tests used, as the rig named them.
#[derive(Debug, Default, PartialEq, Eq)]
struct Servers {
    kafka: Option<String>,
    postgres: Option<String>,
    provider: Option<&'static str>,
}

impl Servers {
    /// Takes the versions from what the rig said: `… Kafka 4.3.1 and PostgreSQL 17.9 …`.
    fn read(&mut self, said: &str) {
        for line in said.lines() {
            self.kafka = version_behind(line, "Kafka").or(self.kafka.take());
            self.postgres = version_behind(line, "PostgreSQL").or(self.postgres.take());
            self.provider = provider_in(line).or(self.provider);
        }
    }

    fn show(&self) -> String {
        let version = |version: &Option<String>| version.clone().unwrap_or("unknown".to_owned());
        let provider = self.provider.map_or(String::new(), |provider| format!(" ({provider})"));
        format!("Kafka {}, PostgreSQL {}{provider}", version(&self.kafka), version(&self.postgres))
    }
}

/// `local` in `rig: Kafka 4.3.1 at 127.0.0.1:…, PostgreSQL 17.9 at … (local, warm)`.
fn provider_in(line: &str) -> Option<&'static str> {
    let line = line.strip_prefix("rig: ")?;
    let named = |provider: &&&str| line.contains(&format!("({provider}"));
    ["external", "containers", "local"].iter().find(named).copied()
}

fn version_behind(line: &str, product: &str) -> Option<String> {
    let (_, rest) = line.split_once(product)?;
    let is_part = |c: char| c.is_ascii_digit() || c == '.';
    let version: String = rest.trim_start().chars().take_while(|c| is_part(*c)).collect();
    let version = version.trim_end_matches('.');
    version.starts_with(|c: char| c.is_ascii_digit()).then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn counted(script: &str) -> Tally {
        let run = cargo::run(Command::new("sh").args(["-c", script])).unwrap();
        let mut tally = Tally::default();
        count_tests("lab01-solution", &run, &mut tally);
        tally
    }

    #[test]
    fn a_failed_and_an_ignored_test_are_both_failures() {
        let tally = counted(
            "echo running 3 tests; echo 'test a ... ok'; echo 'test b ... FAILED'; echo 'test c ... ignored'",
        );
        assert_eq!(tally.passed, 1);
        let ignored = "lab01-solution: c is ignored; a skip must not look like a pass";
        assert_eq!(tally.failures, ["lab01-solution: b fails", ignored]);
    }

    #[test]
    fn a_build_that_fails_is_a_failure_without_a_test() {
        let tally = counted("echo 'error[E0308]: mismatched types'; exit 101");
        assert_eq!(tally.failures.len(), 1);
    }

    #[test]
    fn the_versions_are_those_that_the_rig_names() {
        let mut servers = Servers::default();
        servers
            .read("rig: taking Kafka 4.3.1 and PostgreSQL 17.9 from this machine\nKafka is slow\n");
        assert_eq!(servers.show(), "Kafka 4.3.1, PostgreSQL 17.9");
        servers.read("rig: Kafka 4.3.1 at 127.0.0.1:9092, PostgreSQL 17.9 at b:1 (local, warm)\n");
        assert_eq!(servers.show(), "Kafka 4.3.1, PostgreSQL 17.9 (local)");
    }

    #[test]
    fn a_version_that_nobody_named_is_unknown() {
        assert_eq!(Servers::default().show(), "Kafka unknown, PostgreSQL unknown");
    }
}
