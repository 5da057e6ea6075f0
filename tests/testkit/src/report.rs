//! The failed tests of this process.
//!
//! Where the environment variable `TIDEMARK_REPORT` names a file, one line of JSON a failed test
//! is appended to it when the process ends.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::json;

use crate::names::TestName;

/// Why a test failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It ran into a `todo!`, of this step where the text names one.
    Todo { step: Option<u32> },
    /// It broke a rule, or the code panicked.
    Failure,
    /// There was no Kafka or no PostgreSQL.
    RigIsDown,
}

/// A failed test.
#[derive(Debug, Clone)]
pub(crate) struct Failed {
    pub test: TestName,
    pub kind: Kind,
    pub message: String,
    /// Where it panicked, from the root of the workspace.
    pub file: String,
    pub line: u32,
}

impl Failed {
    /// The step that stands in the way: the one with the `todo!`, else the test's own.
    pub(crate) fn blocking_step(&self) -> Option<u32> {
        match self.kind {
            Kind::Todo { step: Some(step) } => Some(step),
            _ => self.test.step(),
        }
    }

    fn to_json(&self) -> String {
        let (kind, todo_step) = match self.kind {
            Kind::Todo { step } => ("todo", step),
            Kind::Failure | Kind::RigIsDown => ("failure", None),
        };
        json!({
            "test": self.test.as_str(),
            "step": self.test.step(),
            "kind": kind,
            "todo_step": todo_step,
            "message": self.message,
            "file": self.file,
            "line": self.line,
        })
        .to_string()
    }
}

static FAILED: Mutex<Vec<Failed>> = Mutex::new(Vec::new());

/// A panicking test may have poisoned the lock; the list behind it is whole all the same.
fn lock() -> MutexGuard<'static, Vec<Failed>> {
    FAILED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes a failed test. Only its first panic counts: a `todo!` in a spawned task makes the test
/// that awaits the task panic as well. Gives the kind of the first.
pub(crate) fn add(failed: Failed) -> Kind {
    let mut all = lock();
    if let Some(first) = all.iter().find(|earlier| earlier.test == failed.test) {
        return first.kind;
    }
    let kind = failed.kind;
    all.push(failed);
    kind
}

/// The test passed all the same: the panic was in a task that nobody awaited.
pub(crate) fn forget(test: &TestName) {
    lock().retain(|failed| failed.test != *test);
}

/// Whether the test ran into a `todo!`.
pub(crate) fn is_todo(test: &TestName) -> bool {
    lock().iter().any(|failed| failed.test == *test && matches!(failed.kind, Kind::Todo { .. }))
}

pub(crate) fn all() -> Vec<Failed> {
    lock().clone()
}

/// Appends the failed tests to the file that `TIDEMARK_REPORT` names.
pub(crate) fn write(failed: &[Failed]) -> io::Result<()> {
    let Some(file) = std::env::var_os("TIDEMARK_REPORT") else { return Ok(()) };
    let lines: String = failed.iter().map(|failed| failed.to_json() + "\n").collect();
    // One write: several test binaries may append to one file.
    OpenOptions::new().create(true).append(true).open(file)?.write_all(lines.as_bytes())
}
