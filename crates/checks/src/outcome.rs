//! What a check says at its end, and how `checks all` shows it.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What one check found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// What was looked at: `1 lab, 41 tests`.
    pub scope: String,
    /// What holds, said when nothing failed.
    pub verdict: String,
    /// How many single checks passed.
    pub passed: u64,
    /// How many single checks failed.
    pub failed: u64,
    /// Why the check could not run at all.
    pub not_run: Option<String>,
    /// Whether a machine like this one need not be able to run it: then it is no failure.
    pub excused: bool,
    /// What the labs' suites took within this check, where it runs them beside other things.
    pub suites: Option<Suites>,
}

/// How many tests of the labs' suites ran, and how long they took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suites {
    /// Their number.
    pub tests: u64,
    /// Their time.
    pub took: Duration,
}

impl Outcome {
    /// A check that cannot run on a machine like this one, and why.
    pub fn left_out(why: impl Into<String>) -> Outcome {
        Outcome { not_run: Some(why.into()), excused: true, ..Outcome::default() }
    }

    /// Whether nothing failed, and what should have run has run.
    pub fn is_green(&self) -> bool {
        self.failed == 0 && (self.not_run.is_none() || self.excused)
    }

    /// How many failures it counts for: what should have run and has not is one.
    pub fn failures(&self) -> u64 {
        self.failed + u64::from(self.not_run.is_some() && !self.excused)
    }

    /// One line for the table.
    pub fn verdict_line(&self) -> String {
        match (&self.not_run, self.failed) {
            (Some(reason), _) => format!("NOT RUN: {reason}"),
            (None, 0) => self.verdict.clone(),
            (None, failed) => format!("FAILED: {failed} of {}", self.passed + failed),
        }
    }
}

/// Why a check could not run: one sentence, with its fix where there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotRun(pub String);

impl fmt::Display for NotRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<String> for NotRun {
    fn from(reason: String) -> NotRun {
        NotRun(reason)
    }
}

impl From<&str> for NotRun {
    fn from(reason: &str) -> NotRun {
        NotRun(reason.to_owned())
    }
}

impl From<std::io::Error> for NotRun {
    fn from(error: std::io::Error) -> NotRun {
        NotRun(error.to_string())
    }
}

/// Counts single checks and prints the ones that failed as they are found.
#[derive(Debug, Default)]
pub struct Tally {
    /// How many passed.
    pub passed: u64,
    /// What was said about those that failed.
    pub failures: Vec<String>,
}

impl Tally {
    /// How many there were.
    pub fn all(&self) -> u64 {
        self.passed + self.failures.len() as u64
    }

    /// Counts one check that passed.
    pub fn pass(&mut self) {
        self.passed += 1;
    }

    /// Counts one check that failed, and prints why.
    pub fn fail(&mut self, why: impl Into<String>) {
        let why = why.into();
        println!("{why}\n");
        self.failures.push(why);
    }

    /// Counts one check by its result.
    pub fn count(&mut self, result: Result<(), String>) {
        match result {
            Ok(()) => self.pass(),
            Err(why) => self.fail(why),
        }
    }

    /// Ends the check.
    pub fn outcome(self, scope: String, verdict: impl Into<String>) -> Outcome {
        Outcome {
            scope,
            verdict: verdict.into(),
            passed: self.passed,
            failed: self.failures.len() as u64,
            ..Outcome::default()
        }
    }
}

/// `1 lab`, `2 labs`.
pub fn plural(count: usize, one: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failure_makes_the_outcome_red() {
        let mut tally = Tally::default();
        tally.pass();
        tally.count(Err("lab01: no".to_owned()));
        let outcome = tally.outcome("1 lab".to_owned(), "all equal");
        assert!(!outcome.is_green());
        assert_eq!(outcome.verdict_line(), "FAILED: 1 of 2");
    }

    #[test]
    fn what_did_not_run_is_not_green() {
        let outcome = Outcome { not_run: Some("no mdbook".to_owned()), ..Outcome::default() };
        assert!(!outcome.is_green());
        assert_eq!(outcome.failures(), 1);
        assert_eq!(outcome.verdict_line(), "NOT RUN: no mdbook");
    }

    #[test]
    fn what_is_left_out_says_so_and_is_no_failure() {
        let outcome = Outcome::left_out("no Docker engine here");
        assert!(outcome.is_green());
        assert_eq!(outcome.failures(), 0);
        assert_eq!(outcome.verdict_line(), "NOT RUN: no Docker engine here");
    }
}
