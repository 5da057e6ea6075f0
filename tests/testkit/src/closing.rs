//! What is printed when a red run ends: the first thing that fails, what waits for it, and the
//! one command to go on with.
//!
//! libtest shows a test's output only after the last test has ended, and its own last words are
//! counts. A C `atexit` hook prints after those, just before cargo's `error: test failed`.

use std::collections::BTreeMap;
use std::io::Write;
use std::panic;

use crate::lab::{self, Lab};
use crate::report::{self, Failed, Kind};

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
            && let Some(text) = closing_lines(lab, &failed)
        {
            // `print!` would panic where nobody reads any more (`cargo test | head`).
            let _ = std::io::stdout().write_all(text.as_bytes());
        }
    });
}

/// By step; in a step what is wrong before what is not begun; then by line.
fn in_reading_order(failed: &mut [Failed]) {
    failed.sort_by_cached_key(|failed| {
        let waits = failed.kind != Kind::Failure;
        let place = (failed.file.clone(), failed.line);
        (failed.blocking_step(), waits, failed.test.step(), place, failed.test.as_str().to_owned())
    });
}

/// The text for failed tests in reading order; `None` when none failed.
fn closing_lines(lab: &Lab, failed: &[Failed]) -> Option<String> {
    let (no_rig, broken): (Vec<&Failed>, Vec<&Failed>) =
        failed.iter().partition(|failed| failed.kind == Kind::RigIsDown);
    let mut text = String::new();
    if let Some(first) = no_rig.first() {
        text +=
            &format!("{} without Kafka or PostgreSQL: {}\n", tests(no_rig.len()), first.message);
    }
    if let Some((first, others)) = broken.split_first() {
        text += &format!("{}\n", first.test.as_str());
        text += &format!("  {}\n", first.message.lines().next().unwrap_or_default());
        text += &format!("  {}:{}\n", first.file, first.line);
        if !others.is_empty() {
            text += &format!("{}\n", what_else(first, others));
        }
        text += &next(lab, first);
    }
    (!text.is_empty()).then_some(text)
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

fn next(lab: &Lab, first: &Failed) -> String {
    let Some((number, step)) =
        first.blocking_step().and_then(|number| Some((number, lab.step(number)?)))
    else {
        return format!("Next: the given code, {}:{}.\n", first.file, first.line);
    };
    let file = lab.file_of(step);
    // A broken rule is asserted in the tests; what is to be edited is the step's own file.
    let place = if first.file == file { format!("{file}:{}", first.line) } else { file };
    format!(
        "Next: step {number}, {}. {place}. Then: {}\nChapter: {}, \"Step {number}\"\n",
        step.title,
        lab.command(number),
        lab.chapter,
    )
}
