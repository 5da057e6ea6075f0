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
        move |error| Failure(format!("cannot {verb} {path}: {error}"))
    }
}

impl From<RigError> for Failure {
    fn from(error: RigError) -> Failure {
        Failure(error.0)
    }
}
