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
    /// `ignored`, with one of [`FOR_ANOTHER_TEST`]: another test runs it and looks at it
    ForAnotherTest,
}

/// Why a test is ignored that another test runs: a sample of a red run, or a program.
const FOR_ANOTHER_TEST: [&str; 2] = ["red by intent", "run by another test"];

/// The tests of one or more test programs, by name.
pub type Verdicts = BTreeMap<String, Verdict>;

/// Reads the lines `test step1_event::… ... ok`.
///
/// Other writers share the pipe, the C library of the Kafka client among them, and may stand on a
/// test's line before it. With one thread libtest writes the name first and the verdict when the
/// test has ended; then they may also stand between the two.
///
/// # Errors
/// When libtest ran another number of tests than were found.
pub fn verdicts(output: &str) -> Result<Verdicts, String> {
    let mut verdicts = Verdicts::new();
    let mut waiting: Option<&str> = None;
    let mut judged = 0;
    for line in output.lines() {
        let (name, rest) = match (test_line(line), waiting) {
            (Some((name, rest)), _) => (name, rest),
            (None, Some(name)) => (name, line),
            (None, None) => continue,
        };
        match verdict(rest) {
            Some(verdict) => {
                verdicts.insert(name.to_owned(), verdict);
                judged += 1;
                waiting = None;
            }
            None => waiting = Some(name),
        }
    }
    let ran = tests_that_ran(output);
    if ran != judged {
        return Err(format!("libtest ran {ran} tests, but {judged} verdicts were found"));
    }
    Ok(verdicts)
}

fn test_line(line: &str) -> Option<(&str, &str)> {
    let (before, rest) = line.split_once(" ... ")?;
    let before = before.strip_suffix(" - should panic").unwrap_or(before);
    // The name of a documentation test has spaces: `src/lib.rs - item (line 12)`.
    if let Some(name) = before.strip_prefix("test ") {
        return Some((name, rest));
    }
    let (_, name) = before.rsplit_once("test ")?;
    (!name.contains(' ')).then_some((name, rest))
}

/// The sum of `running 14 tests` over all test programs.
fn tests_that_ran(output: &str) -> usize {
    let counts = output.lines().filter_map(|line| {
        let (_, count) = line.split_once("running ")?;
        let (count, rest) = count.split_once(' ')?;
        matches!(rest, "test" | "tests").then(|| count.parse::<usize>().ok())?
    });
    counts.sum()
}

fn verdict(text: &str) -> Option<Verdict> {
    if text.strip_prefix("ignored, ").is_some_and(|why| FOR_ANOTHER_TEST.contains(&why)) {
        return Some(Verdict::ForAnotherTest);
    }
    // libtest writes the verdict and the end of its line apart, so that another writer's words may
    // follow at once: `okrig: Kafka 4.3.1 at …`.
    let verdicts =
        [("ok", Verdict::Passed), ("FAILED", Verdict::Failed), ("ignored", Verdict::Ignored)];
    verdicts.into_iter().find(|(word, _)| text.starts_with(word)).map(|(_, verdict)| verdict)
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
        let output = "running 6 tests\n\
            test sample::x ... ignored, red by intent\n\
            test a_program ... ignored, run by another test\n\
            test given_a::x ... ok\n\
            test step1_a::y ... FAILED\n\
            test step1_a::slow ... rig: starting Kafka\n\
            rig: ready\n\
            ok\n\
            test step2_b::z ... ignored, needs Docker\n\
            \n\
            ok\n";
        let verdicts = verdicts(output).unwrap();
        assert_eq!(verdicts.len(), 6);
        assert_eq!(verdicts["sample::x"], Verdict::ForAnotherTest);
        assert_eq!(verdicts["a_program"], Verdict::ForAnotherTest);
        assert_eq!(verdicts["given_a::x"], Verdict::Passed);
        assert_eq!(verdicts["step1_a::y"], Verdict::Failed);
        assert_eq!(verdicts["step1_a::slow"], Verdict::Passed);
        assert_eq!(verdicts["step2_b::z"], Verdict::Ignored);
    }

    #[test]
    fn a_verdict_behind_what_another_writer_left_on_the_line_is_read() {
        let output =
            "running 1 test\n%3|1763|FAIL|rdkafka| connect failed: test step3_a::b ... FAILED\n";
        assert_eq!(verdicts(output).unwrap()["step3_a::b"], Verdict::Failed);
    }

    #[test]
    fn a_verdict_before_what_another_writer_put_on_the_line_is_read() {
        let output = "running 2 tests\ntest step1_a::b ... okrig: Kafka 4.3.1 at 127.0.0.1:9092\n\n\
            test step1_a::c ... FAILED%3|1763|FAIL|rdkafka| connect failed\n\n";
        let verdicts = verdicts(output).unwrap();
        assert_eq!(verdicts["step1_a::b"], Verdict::Passed);
        assert_eq!(verdicts["step1_a::c"], Verdict::Failed);
    }

    #[test]
    fn a_documentation_test_is_a_test() {
        let output = "running 1 test\ntest src/lib.rs - utc::format (line 12) ... ok\n";
        assert_eq!(
            verdicts(output).unwrap()["src/lib.rs - utc::format (line 12)"],
            Verdict::Passed
        );
    }

    #[test]
    fn a_test_without_a_verdict_is_missed() {
        let error = verdicts("running 2 tests\ntest a ... ok\n").unwrap_err();
        assert_eq!(error, "libtest ran 2 tests, but 1 verdicts were found");
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
