//! The reviewed messages: one `insta` snapshot for each wrong answer, in `snapshots` beside it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use crate::wrong::answer::WrongAnswer;

/// Compares a message with its snapshot. What to do with another message is insta's matter:
/// `INSTA_UPDATE` says it, and `cargo insta review` shows what waits.
///
/// # Errors
/// When the message is another one, or has no snapshot yet.
pub fn compare(folder: &Path, slug: &str, message: &str) -> Result<(), String> {
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path(folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    // Insta shows a difference and then panics.
    let compared =
        settings.bind(|| catch_unwind(AssertUnwindSafe(|| insta::assert_snapshot!(slug, message))));
    compared.map_err(|_| {
        "what a learner reads has changed; accept it by `checks wrong --accept` \
         or review it by `cargo insta review`"
            .to_owned()
    })
}

/// Keeps insta's panics from being printed: it has shown the difference by then. Any other panic is
/// printed as ever.
pub fn silence_insta() {
    let default_hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let message = panic.payload_as_str().unwrap_or_default();
        if !message.starts_with("snapshot assertion for ") {
            default_hook(panic);
        }
    }));
}

/// A snapshot without a wrong answer is a message that nobody can read any more.
///
/// # Errors
/// The first one that is left over.
pub fn none_is_left_over(folder: &Path, answers: &[WrongAnswer]) -> Result<(), String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    for entry in entries.flatten() {
        let path = entry.path();
        let is_snapshot = path.extension().is_some_and(|extension| extension == "snap");
        let slug = path.file_stem().unwrap_or_default().to_string_lossy();
        if is_snapshot && !answers.iter().any(|answer| answer.head.slug == slug) {
            return Err(format!("{}: there is no wrong answer of this name", path.display()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with(message: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let text = format!("---\nsource: x\n---\n{message}\n");
        std::fs::write(dir.path().join("slug.snap"), text).unwrap();
        dir
    }

    #[test]
    fn the_same_message_passes() {
        let dir = folder_with("Rule: two is two.");
        assert_eq!(compare(dir.path(), "slug", "Rule: two is two."), Ok(()));
    }

    #[test]
    fn another_message_fails() {
        let dir = folder_with("Rule: two is two.");
        assert!(compare(dir.path(), "slug", "Rule: two is three.").is_err());
    }

    #[test]
    fn a_snapshot_without_its_wrong_answer_is_named() {
        let dir = folder_with("x");
        let error = none_is_left_over(dir.path(), &[]).unwrap_err();
        assert!(error.contains("slug.snap"), "{error}");
    }
}
