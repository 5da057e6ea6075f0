//! What is printed when a test panics.
//!
//! A `todo!` prints nothing here: the closing lines show the first one, and the others only wait.
//! A broken rule prints its text. Any other panic prints its message and place, and a backtrace
//! where `RUST_BACKTRACE` asks for one.

use std::panic::{self, PanicHookInfo};

use crate::lab::{self, Lab};
use crate::names::{TestName, step_number};
use crate::report::{self, Failed, Kind};
use crate::verdict::Verdict;

const TODO: &str = "not yet implemented";

pub(crate) fn install() {
    let default_hook = panic::take_hook();
    panic::set_hook(Box::new(move |panic| match lab::get() {
        Some(lab) => on_panic(lab, panic, &default_hook),
        None => default_hook(panic),
    }));
}

fn on_panic(lab: &Lab, panic: &PanicHookInfo<'_>, default_hook: &dyn Fn(&PanicHookInfo<'_>)) {
    #[cfg(feature = "property")]
    if crate::property::is_searching() {
        return;
    }
    let Some(test) = TestName::running() else { return default_hook(panic) };
    let verdict = panic.payload().downcast_ref::<Verdict>();
    let message = match verdict {
        Some(verdict) => &verdict.text,
        None => panic.payload_as_str().unwrap_or("a panic without a message"),
    };
    let place = verdict.map(|verdict| verdict.asserted_at).or(panic.location());
    let failed = Failed {
        kind: kind_of(message, verdict),
        message: message.to_owned(),
        file: place.map_or(String::new(), |place| lab.shown(place.file())),
        line: place.map_or(0, |place| place.line()),
        test,
    };
    // What follows from a `todo!` is as silent as the `todo!` itself.
    if matches!(report::add(failed.clone()), Kind::Todo { .. }) {
        return;
    }
    if verdict.is_none() && backtrace_is_wanted() {
        default_hook(panic);
    } else {
        // Not to the standard error itself: libtest captures what this macro prints.
        eprint!("{}", text_of(lab, &failed));
    }
}

fn kind_of(message: &str, verdict: Option<&Verdict>) -> Kind {
    match (verdict, message.strip_prefix(TODO)) {
        (Some(verdict), _) if verdict.rig_is_down => Kind::RigIsDown,
        (None, Some(rest)) => Kind::Todo { step: step_number(rest.trim_start_matches(": ")) },
        _ => Kind::Failure,
    }
}

fn backtrace_is_wanted() -> bool {
    std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0")
}

/// The message, then where it comes from, then what to edit and to run. That there is no rig is
/// no fault of a line or a step.
fn text_of(lab: &Lab, failed: &Failed) -> String {
    let mut text = indented(&failed.message);
    if failed.kind == Kind::RigIsDown {
        return text;
    }
    text += &format!("  at {}:{}\n", failed.file, failed.line);
    if let Some((number, step)) =
        failed.test.step().and_then(|number| Some((number, lab.step(number)?)))
    {
        text += &format!("  {} · {}\n", lab.file_of(step), lab.command(number));
    }
    text
}

fn indented(text: &str) -> String {
    let line = |line: &str| if line.is_empty() { "\n".to_owned() } else { format!("  {line}\n") };
    text.lines().map(line).collect()
}
