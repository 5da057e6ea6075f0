//! The checks that call cargo, run as `make test` runs them, on a small workbook of one lab.
//!
//! The workbook is `tests/fixture`; each test has a copy of its own, and breaks it in one place.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A copy of the fixture.
struct Workbook {
    dir: tempfile::TempDir,
}

/// What `checks` printed, and whether it ended with exit code 0.
struct Checked {
    green: bool,
    printed: String,
}

impl Workbook {
    fn new() -> Workbook {
        let dir = tempfile::tempdir().unwrap();
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixture");
        copy(&fixture, dir.path());
        let workbook = Workbook { dir };
        let lock = Command::new("cargo")
            .args(["generate-lockfile", "--offline", "--quiet"])
            .current_dir(workbook.dir.path())
            .status();
        assert!(lock.unwrap().success());
        workbook
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn replace(&self, name: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(from), "{name} holds no `{from}`");
        std::fs::write(self.path(name), text.replace(from, to)).unwrap();
    }

    fn checks(&self, arguments: &[&str], insta_update: &str) -> Checked {
        let output = Command::new(env!("CARGO_BIN_EXE_checks"))
            .arg("--root")
            .arg(self.dir.path())
            .args(arguments)
            .env("CARGO_TARGET_DIR", self.path("target"))
            .env("INSTA_UPDATE", insta_update)
            .output()
            .unwrap();
        let printed = [output.stdout, output.stderr].concat();
        let printed = String::from_utf8(printed).unwrap();
        Checked { green: output.status.success(), printed }
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let from = entry.unwrap().path();
        let to = to.join(from.file_name().unwrap());
        if from.is_dir() {
            copy(&from, &to);
        } else {
            std::fs::copy(&from, &to).unwrap();
        }
    }
}

const LAB: &str = "labs/lab01/src/count.rs";
const WRONG: &str = "tests/lab01/wrong/splits-at-one-blank.rs";
const SNAPSHOT: &str = "tests/lab01/wrong/snapshots/splits-at-one-blank.snap";

#[test]
fn an_untouched_lab_is_red_in_the_right_way_until_a_hole_holds_a_placeholder() {
    let workbook = Workbook::new();
    let checked = workbook.checks(&["untouched"], "no");
    assert!(checked.green, "{}", checked.printed);
    assert!(checked.printed.contains("1 lab, 3 tests"), "{}", checked.printed);

    workbook.replace(LAB, "todo!(\"step 1: count the words of {text:?}\")", "text.len() / 2");
    let checked = workbook.checks(&["untouched"], "no");
    assert!(!checked.green);
    let why = "step1_count::two_blanks_part_two_words: passes on an untouched lab";
    assert!(checked.printed.contains(why), "{}", checked.printed);
}

#[test]
fn a_wrong_answer_is_caught_and_its_message_is_the_reviewed_one() {
    let workbook = Workbook::new();
    let checked = workbook.checks(&["wrong"], "no");
    assert!(!checked.green, "a message without a snapshot was not reviewed");

    let checked = workbook.checks(&["wrong"], "always");
    assert!(checked.green, "{}", checked.printed);
    let snapshot = std::fs::read_to_string(workbook.path(SNAPSHOT)).unwrap();
    let message = "step1_count::two_blanks_part_two_words\n  Words are what stands between blanks.\n  \
        expected 2\n  found    3\n  tests/testkit/src/lib.rs:LINE\n";
    assert!(snapshot.ends_with(message), "{snapshot}");

    assert!(workbook.checks(&["wrong"], "no").green);
    workbook.replace("tests/lab01/step1_count.rs", "stands between", "lies between");
    let checked = workbook.checks(&["wrong"], "no");
    assert!(!checked.green, "another message passed");
    assert!(checked.printed.contains("what a learner reads has changed"), "{}", checked.printed);
}

#[test]
fn a_wrong_answer_that_does_not_fit_or_is_not_caught_is_an_error() {
    let workbook = Workbook::new();
    let failure = |why: &str| {
        let checked = workbook.checks(&["wrong"], "no");
        assert!(!checked.green && checked.printed.contains(why), "{why}: {}", checked.printed);
    };
    let right = "text.split_whitespace().count()";
    workbook.replace(WRONG, "text.split(' ').count()", right);
    failure("no test catches it");
    workbook.replace(WRONG, right, "text.len()");
    workbook.replace(WRONG, "two_blanks_part_two_words", "given_a_blank_text_is_empty");
    failure("is not caught by this test, but by step1_count::the_program");
    workbook.replace(WRONG, "given_a_blank_text_is_empty", "no_such_test");
    failure("there is no such test");
    workbook.replace(WRONG, "-> usize", "-> u64");
    failure("`words` has another signature");
}

#[test]
fn a_program_of_the_lab_takes_the_wrong_answer_too() {
    let workbook = Workbook::new();
    workbook.replace(WRONG, "two_blanks_part_two_words", "the_program_counts_its_arguments");
    let checked = workbook.checks(&["wrong"], "always");
    assert!(checked.green, "{}", checked.printed);
    let snapshot = std::fs::read_to_string(workbook.path(SNAPSHOT)).unwrap();
    assert!(
        snapshot.contains("The program counts words.\n  expected 2\n  found    3"),
        "{snapshot}"
    );
}

#[test]
fn the_wrong_answers_leave_the_labs_build_as_it_was() {
    let workbook = Workbook::new();
    assert!(!workbook.checks(&["no-rebuild"], "no").green, "the first build compiles");
    assert!(workbook.checks(&["no-rebuild"], "no").green);
    assert!(workbook.checks(&["wrong"], "always").green);
    let checked = workbook.checks(&["no-rebuild"], "no");
    assert!(checked.green, "{}", checked.printed);
    assert!(workbook.checks(&["untouched"], "no").green, "the lab is still untouched");
}
