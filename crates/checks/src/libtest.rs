//! What libtest printed, and what testkit reported beside it.

use std::collections::BTreeMap;

use serde::Deserialize;

/// How libtest judged one test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// `ok`
    Passed,
    /// `FAILED`
    Failed,
    /// `ignored`
    Ignored,
}

/// The tests of one or more test programs, by name.
pub type Verdicts = BTreeMap<String, Verdict>;

/// Reads the lines `test step1_event::… ... ok`.
///
/// With one thread libtest writes the name first and the verdict when the test has ended. What
/// others write in between then stands on the line, and the verdict on a line of its own.
pub fn verdicts(output: &str) -> Verdicts {
    let mut verdicts = Verdicts::new();
    let mut waiting: Option<&str> = None;
    for line in output.lines() {
        if let Some((name, rest)) = test_line(line) {
            match verdict(rest) {
                Some(verdict) => drop(verdicts.insert(name.to_owned(), verdict)),
                None => waiting = Some(name),
            }
        } else if let (Some(name), Some(verdict)) = (waiting, verdict(line)) {
            verdicts.insert(name.to_owned(), verdict);
            waiting = None;
        }
    }
    verdicts
}

fn test_line(line: &str) -> Option<(&str, &str)> {
    let (name, rest) = line.strip_prefix("test ")?.split_once(" ... ")?;
    Some((name.strip_suffix(" - should panic").unwrap_or(name), rest))
}

fn verdict(text: &str) -> Option<Verdict> {
    match text.split([' ', ',']).next()? {
        "ok" => Some(Verdict::Passed),
        "FAILED" => Some(Verdict::Failed),
        "ignored" => Some(Verdict::Ignored),
        _ => None,
    }
}

/// The lines `test result: …` of every test program that ran.
pub fn result_lines(output: &str) -> Vec<&str> {
    output.lines().filter(|line| line.starts_with("test result: ")).collect()
}

/// The step of a test, from the module that it is in: 2 for `step2_record::the_key_is_…`.
pub fn step_of(test: &str) -> Option<u32> {
    let (module, _) = test.split_once("::")?;
    let (number, _) = module.strip_prefix("step")?.split_once('_')?;
    number.parse().ok()
}

/// Whether a test is of given code, and so passes on an untouched lab.
pub fn is_given(test: &str) -> bool {
    test.rsplit("::").next().is_some_and(|name| name.starts_with("given_"))
}

/// One line of the file that `TIDEMARK_REPORT` names: a test that failed, as testkit saw it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Report {
    /// The test's full name.
    pub test: String,
    /// Whether it stopped at a hole or found an answer wrong.
    pub kind: Kind,
    /// The step that the hole names.
    pub todo_step: Option<u32>,
    /// What it said.
    pub message: String,
}

/// Why a test failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It reached a `todo!`.
    Todo,
    /// An answer was wrong.
    Failure,
}

/// Reads the report's lines, by the name of the test. Where a test reported twice, the first
/// counts: it is the one that a learner reads.
///
/// # Errors
/// The first line that is no report.
pub fn reports(text: &str) -> Result<BTreeMap<String, Report>, String> {
    let mut reports = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let report: Report = serde_json::from_str(line)
            .map_err(|error| format!("report, line {}: {error}: {line}", index + 1))?;
        reports.entry(report.test.clone()).or_insert(report);
    }
    Ok(reports)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_are_read_in_both_of_libtests_ways() {
        let output = "running 4 tests\n\
            test given_a::x ... ok\n\
            test step1_a::y ... FAILED\n\
            test step1_a::slow ... rig: starting Kafka\n\
            rig: ready\n\
            ok\n\
            test step2_b::z ... ignored, needs Docker\n\
            \n\
            ok\n";
        let verdicts = verdicts(output);
        assert_eq!(verdicts.len(), 4);
        assert_eq!(verdicts["given_a::x"], Verdict::Passed);
        assert_eq!(verdicts["step1_a::y"], Verdict::Failed);
        assert_eq!(verdicts["step1_a::slow"], Verdict::Passed);
        assert_eq!(verdicts["step2_b::z"], Verdict::Ignored);
    }

    #[test]
    fn a_step_is_the_number_of_the_module() {
        assert_eq!(step_of("step2_record::the_key"), Some(2));
        assert_eq!(step_of("step12_x::y"), Some(12));
        assert_eq!(step_of("steps_x::y"), None);
        assert_eq!(step_of("given_x"), None);
    }

    #[test]
    fn only_the_last_part_of_the_name_makes_a_test_given() {
        assert!(is_given("step1_event::given_the_flights"));
        assert!(is_given("given_the_flights"));
        assert!(!is_given("given_x::the_flights"));
    }

    #[test]
    fn a_line_that_is_no_report_is_named() {
        let good = r#"{"test":"step1_a::b","step":1,"kind":"todo","todo_step":1,"message":"m","file":"f","line":3}"#;
        assert_eq!(reports(good).unwrap()["step1_a::b"].todo_step, Some(1));
        let error = reports(&format!("{good}\nnot json")).unwrap_err();
        assert!(error.starts_with("report, line 2: "), "{error}");
    }
}
