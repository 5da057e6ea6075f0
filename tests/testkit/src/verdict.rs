//! What a failed assertion panics with.

use std::panic::{Location, panic_any};

/// The payload of a panic that testkit raises. Its text is all that a learner needs to read, so
/// the panic hook prints it without a backtrace.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub text: String,
    /// The line of the test, also where the panic itself is raised deep in a future.
    pub asserted_at: &'static Location<'static>,
    /// No Kafka or PostgreSQL could be had: no fault of the learner's code.
    pub rig_is_down: bool,
}

impl Verdict {
    /// Fails the test because a rule was broken.
    pub(crate) fn broken_rule(text: String, asserted_at: &'static Location<'static>) -> ! {
        panic_any(Verdict { text, asserted_at, rig_is_down: false })
    }

    /// Fails the test because it has no Kafka or no PostgreSQL to run on.
    pub(crate) fn rig_is_down(text: String, asserted_at: &'static Location<'static>) -> ! {
        panic_any(Verdict { text, asserted_at, rig_is_down: true })
    }
}
