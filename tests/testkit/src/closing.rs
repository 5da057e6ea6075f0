//! What is printed when a run ends. A red one: the first thing that fails, what waits for it, and
//! the one command to go on with. A green one: what is next.
//!
//! libtest shows a test's output only after the last test has ended, and its own last words are
//! counts. A C `atexit` hook prints after those, just before cargo's `error: test failed`.

use std::collections::BTreeMap;
use std::io::Write;
use std::panic;

use crate::asked::Asked;
use crate::lab::{self, Lab, Step};
use crate::report::{self, Failed, Kind};

/// How much of a message stands in the closing lines.
const SHOWN_LINES: usize = 10;

pub(crate) fn install() {
    // SAFETY: `print` is a plain function that takes nothing, keeps nothing and never unwinds.
    unsafe { libc::atexit(print) };
}

extern "C" fn print() {
    // To unwind out of a C function would abort, and hide the exit code of the tests.
    let _ = panic::catch_unwind(|| {
        let mut failed = report::all();
        in_reading_order(&mut failed);
        let _ = report::write(&failed);
        if let Some(lab) = lab::get()
            && let Some(text) = closing_lines(lab, &failed, Asked::by_this_process())
        {
            // `print!` would panic where nobody reads any more (`cargo test | head`).
            let _ = std::io::stdout().write_all(text.as_bytes());
        }
    });
}

/// By step; in a step what is wrong before what is not begun, and what teaches more before what
/// teaches less; then by line.
fn in_reading_order(failed: &mut [Failed]) {
    failed.sort_by_cached_key(|failed| {
        let waits = failed.kind != Kind::Failure;
        let place = (failed.file.clone(), failed.line);
        let name = failed.test.as_str().to_owned();
        (failed.blocking_step(), waits, failed.test.step(), teaches(&failed.message), place, name)
    });
}

/// What a message tells beside what happened. The first in this order is read first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Teaches {
    /// A rule, and a question that leads on.
    RuleAndQuestion,
    /// A rule alone.
    Rule,
    /// Neither: a bare panic, of an overflow for example.
    Nothing,
}

fn teaches(message: &str) -> Teaches {
    match (message.starts_with("Rule: "), message.contains('?')) {
        (true, true) => Teaches::RuleAndQuestion,
        (true, false) => Teaches::Rule,
        (false, _) => Teaches::Nothing,
    }
}

/// The text for failed tests in reading order. When none failed, the text for the steps that were
/// asked for; `None` when it was something else.
fn closing_lines(lab: &Lab, failed: &[Failed], asked: Asked) -> Option<String> {
    if failed.is_empty() { green(lab, asked) } else { Some(red(lab, failed)) }
}

fn red(lab: &Lab, failed: &[Failed]) -> String {
    let (no_rig, broken): (Vec<&Failed>, Vec<&Failed>) =
        failed.iter().partition(|failed| failed.kind == Kind::RigIsDown);
    let mut text = String::new();
    if let Some(first) = no_rig.first() {
        text +=
            &format!("{} without Kafka or PostgreSQL: {}\n", tests(no_rig.len()), first.message);
    }
    if let Some((first, others)) = broken.split_first() {
        text += &format!("{}\n", first.test.as_str());
        text += &in_short(&first.message);
        text += &format!("  {}:{}\n", first.file, first.line);
        if !others.is_empty() {
            text += &format!("{}\n", what_else(first, others));
        }
        text += &next_after_red(lab, first);
    }
    text
}

/// The rule, then what was expected and got. Pictures and questions stand in the whole message.
fn in_short(message: &str) -> String {
    let mut paragraphs = message.split("\n\n");
    let rule = paragraphs.next().unwrap_or_default();
    let values =
        paragraphs.filter(|text| text.starts_with("expected ") || text.starts_with("got "));
    let lines: Vec<&str> = [rule].into_iter().chain(values).flat_map(str::lines).collect();
    let shown = &lines[..lines.len().min(SHOWN_LINES)];
    let mut text: String = shown.iter().map(|line| format!("  {line}\n")).collect();
    if shown.len() < message.lines().filter(|line| !line.is_empty()).count() {
        text += "  … the whole message stands above\n";
    }
    text
}

fn tests(count: usize) -> String {
    if count == 1 { "1 test".to_owned() } else { format!("{count} tests") }
}

/// `step1 waits (8 more) · step2 waits for step 1 (4)`.
fn what_else(first: &Failed, others: &[&Failed]) -> String {
    let mut counts: BTreeMap<(Option<u32>, String), usize> = BTreeMap::new();
    for failed in others {
        let step = failed.test.step();
        let what = match failed.kind {
            Kind::Todo { step: todo } if todo.is_some() && todo < step => {
                format!("waits for step {}", todo.unwrap_or_default())
            }
            Kind::Todo { .. } => "waits".to_owned(),
            Kind::Failure | Kind::RigIsDown => "fails".to_owned(),
        };
        *counts.entry((step, what)).or_default() += 1;
    }
    let parts: Vec<String> = counts
        .into_iter()
        .map(|((step, what), count)| {
            let name = step.map_or("given".to_owned(), |step| format!("step{step}"));
            let more = if step == first.test.step() { " more" } else { "" };
            format!("{name} {what} ({count}{more})")
        })
        .collect();
    parts.join(" · ")
}

fn next_after_red(lab: &Lab, first: &Failed) -> String {
    let Some((number, step)) =
        first.blocking_step().and_then(|number| Some((number, lab.step(number)?)))
    else {
        return format!("Next: the given code, {}:{}.\n", first.file, first.line);
    };
    let file = lab.file_of(step);
    // A broken rule is asserted in the tests; what is to be edited is the step's own file.
    let place = if first.file == file { format!("{file}:{}", first.line) } else { file };
    next_step(lab, number, step, &place)
}

fn next_step(lab: &Lab, number: u32, step: &Step, place: &str) -> String {
    format!(
        "Next: step {number}, {}. {place}. Then: {}\nChapter: {}, \"Step {number}\"\n",
        step.title,
        lab.command(number),
        lab.chapter,
    )
}

fn green(lab: &Lab, asked: Asked) -> Option<String> {
    match asked {
        Asked::WholeLab => Some(format!("All {} steps are green.\n{}", lab.steps.len(), end(lab))),
        Asked::Step(number) => {
            lab.step(number)?;
            Some(match lab.step(number + 1) {
                Some(step) => format!(
                    "Step {number} is green.\n{}",
                    next_step(lab, number + 1, step, &lab.file_of(step))
                ),
                None => format!("Step {number} is green, and it is the last.\n{}", end(lab)),
            })
        }
        Asked::Other => None,
    }
}

/// What follows the last step: the run, and the chapter that the book has next.
fn end(lab: &Lab) -> String {
    let run = format!("Next: see it run. cargo run -p {}\n", lab.package);
    let chapter = lab.next_chapter().map(|chapter| format!("Next chapter: {chapter}\n"));
    run + &chapter.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::TestName;

    const LAB: Lab = Lab {
        package: "lab01",
        manifest_dir: "/home/ada/tidemark/labs/lab01",
        chapter: "book/src/01-topics-and-events.md",
        steps: &[
            Step { file: "event.rs", title: "a flight as strict JSON" },
            Step { file: "record.rs", title: "key, timestamp, headers" },
        ],
    };

    #[test]
    fn a_green_step_names_the_next() {
        assert_eq!(
            green(&LAB, Asked::Step(1)).unwrap(),
            "Step 1 is green.\n\
             Next: step 2, key, timestamp, headers. labs/lab01/src/record.rs. \
             Then: cargo test -p lab01 step2\n\
             Chapter: book/src/01-topics-and-events.md, \"Step 2\"\n"
        );
    }

    #[test]
    fn after_the_last_step_comes_the_run() {
        assert_eq!(
            green(&LAB, Asked::Step(2)).unwrap(),
            "Step 2 is green, and it is the last.\nNext: see it run. cargo run -p lab01\n"
        );
        assert_eq!(
            green(&LAB, Asked::WholeLab).unwrap(),
            "All 2 steps are green.\nNext: see it run. cargo run -p lab01\n"
        );
    }

    #[test]
    fn of_a_step_that_there_is_not_nothing_is_said() {
        assert_eq!(green(&LAB, Asked::Step(3)), None);
        assert_eq!(green(&LAB, Asked::Step(0)), None);
        assert_eq!(green(&LAB, Asked::Step(u32::MAX)), None);
        assert_eq!(green(&LAB, Asked::Other), None);
    }

    #[test]
    fn in_a_step_what_teaches_most_is_read_first() {
        let failed = |test: &str, file: &str, message: &str| Failed {
            test: TestName::from_path(test).expect("it is a test's path"),
            kind: Kind::Failure,
            message: message.to_owned(),
            file: file.to_owned(),
            line: 1,
        };
        let mut all = [
            failed("step1_a::panics", "labs/lab01/src/a.rs", "attempt to subtract with overflow"),
            failed("step1_a::has_a_rule", "tests/lab01/step1_a.rs", "Rule: two is two.\n\ngot 1"),
            failed("step1_b::asks", "tests/lab01/step1_b.rs", "Rule: two is two.\n\ngot 1\n\nWhy?"),
        ];
        in_reading_order(&mut all);
        let names = all.each_ref().map(|failed| failed.test.as_str());
        assert_eq!(names, ["step1_b::asks", "step1_a::has_a_rule", "step1_a::panics"]);
    }

    #[test]
    fn a_message_in_short_is_the_rule_and_the_values() {
        let message = "Rule: two is two.\n\n  a picture\n\nexpected  2\ngot       1\n\nWhy?\n";
        assert_eq!(
            in_short(message),
            "  Rule: two is two.\n  expected  2\n  got       1\n  … the whole message stands above\n"
        );
        assert_eq!(in_short("waited 5 s\nlast seen: 1\n"), "  waited 5 s\n  last seen: 1\n");
        assert_eq!(
            in_short("not yet implemented: step 1: a"),
            "  not yet implemented: step 1: a\n"
        );
    }

    #[test]
    fn a_long_message_is_cut() {
        let message: String = (1..=500).map(|number| format!("line {number}\n")).collect();
        let short = in_short(&message);
        assert_eq!(short.lines().count(), 11);
        assert!(short.ends_with("  line 10\n  … the whole message stands above\n"), "{short}");
    }
}
