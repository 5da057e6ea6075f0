//! What goes wrong, as one sentence with its fix.

use std::fmt::Display;
use std::path::Path;

use rig::RigError;
use thiserror::Error;

/// Why a provider, or a step of it, cannot serve.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct Failure(pub String);

impl Failure {
    /// A sentence.
    pub fn new(sentence: impl Into<String>) -> Failure {
        Failure(sentence.into())
    }

    /// For a file or folder that cannot be used: `cannot write /var/…: no space left on device`.
    pub fn of_file<E: Display>(verb: &'static str, path: &Path) -> impl Fn(E) -> Failure {
        let path = path.display().to_string();
        move |error| Failure(format!("cannot {verb} {path}: {error}")).with_fix()
    }

    /// Adds what helps against a full disk, which any program may report.
    pub fn with_fix(self) -> Failure {
        let Failure(sentence) = self;
        let fix = FIXES.iter().find(|(said, _)| sentence.contains(said));
        Failure(fix.map_or(sentence.clone(), |(_, fix)| format!("{sentence}; {fix}")))
    }
}

/// How the system's errors end, in Rust, C and Java alike, and what helps.
const FIXES: [(&str, &str); 3] = [
    (
        "No space left on device",
        "make room on that disk, or set TIDEMARK_RIG_DIR to a folder elsewhere",
    ),
    (
        "Disk quota exceeded",
        "make room in your quota, or set TIDEMARK_RIG_DIR to a folder elsewhere",
    ),
    ("File too large", "raise the limit that `ulimit -f` shows"),
];

impl From<RigError> for Failure {
    fn from(error: RigError) -> Failure {
        Failure(error.0)
    }
}
