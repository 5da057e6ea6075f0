//! A run that meets a step which is not written yet.

use std::panic::{PanicHookInfo, set_hook, take_hook};

use crate::say::say;

const TODO: &str = "not yet implemented: ";

/// From now on, a `todo!` of the lab ends the program with the step, its file and line, and the
/// command that tests it, in the place of a panic's report. Every other panic is reported as ever.
pub fn explain_holes(lab: &'static str) {
    let report = take_hook();
    set_hook(Box::new(move |panic| match hole(panic) {
        Some((step, place)) => {
            say(&format!("{lab} is not finished: {step}"));
            say(&format!("  {place}"));
            let number = step.split([' ', ':']).nth(1).unwrap_or("");
            say(&format!("Next: write it, then cargo test -p {lab} step{number}"));
        }
        None => report(panic),
    }));
}

fn hole(panic: &PanicHookInfo<'_>) -> Option<(String, String)> {
    let step = panic.payload_as_str()?.strip_prefix(TODO)?;
    let place = panic.location()?;
    Some((step.to_owned(), format!("{}:{}", place.file(), place.line())))
}
