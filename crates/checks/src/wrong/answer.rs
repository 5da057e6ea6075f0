//! A wrong answer: a mistake that people make, and the test that must catch it.
//!
//! ```text
//! //! title: The reader ignores fields that it does not know
//! //! file: event.rs
//! //! caught by: step1_event::an_unknown_field_is_refused
//! //!
//! //! Why people write it…
//!
//! pub fn decode(payload: &[u8]) -> Result<Flight, EventError> { … }
//! ```

use std::path::Path;

use crate::syntax::{Function, Source};

/// A wrong answer, as its file has it.
#[derive(Debug, Clone)]
pub struct WrongAnswer {
    /// What it says of itself.
    pub head: Head,
    /// The functions that it replaces.
    pub functions: Vec<Function>,
}

/// What a wrong answer says of itself.
#[derive(Debug, Clone)]
pub struct Head {
    /// The file's name without `.rs`.
    pub slug: String,
    /// The module that it replaces functions of, relative to the lab's `src`.
    pub file: String,
    /// The full name of the test that must catch it.
    pub caught_by: String,
}

impl WrongAnswer {
    /// Reads a wrong answer.
    ///
    /// # Errors
    /// When the head lacks a line, or the file holds anything but functions and `impl` blocks of
    /// functions.
    pub fn parse(slug: &str, text: &str) -> Result<WrongAnswer, String> {
        let lines: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("//!")).collect();
        head_line(&lines, 0, "title")?;
        let file = head_line(&lines, 1, "file")?;
        let caught_by = head_line(&lines, 2, "caught by")?;
        if !lines.iter().skip(3).any(|line| !line.trim().is_empty()) {
            return Err("expected a few words on why people write it, below the head".to_owned());
        }
        only_functions(text)?;
        let functions = Source::parse(text.to_owned())?.functions;
        if functions.is_empty() {
            return Err("expected a function, found none".to_owned());
        }
        let head = Head { slug: slug.to_owned(), file, caught_by };
        Ok(WrongAnswer { head, functions })
    }

    /// Reads all wrong answers of a lab, by name. A folder that is not there holds none.
    ///
    /// # Errors
    /// The first file that is no wrong answer, with its name.
    pub fn all(folder: &Path) -> Result<Vec<WrongAnswer>, String> {
        let mut answers = Vec::new();
        let Ok(entries) = std::fs::read_dir(folder) else { return Ok(answers) };
        for entry in entries {
            let path = entry.map_err(|error| error.to_string())?.path();
            if path.extension().is_none_or(|extension| extension != "rs") {
                continue;
            }
            let named = |error: String| format!("{}: {error}", path.display());
            let slug = path.file_stem().unwrap_or_default().to_string_lossy();
            let text = std::fs::read_to_string(&path).map_err(|e| named(e.to_string()))?;
            answers.push(WrongAnswer::parse(&slug, &text).map_err(named)?);
        }
        answers.sort_by(|one, other| one.head.slug.cmp(&other.head.slug));
        Ok(answers)
    }
}

fn head_line(head: &[&str], index: usize, key: &str) -> Result<String, String> {
    let line = head.get(index).copied().unwrap_or_default();
    let value = line.trim().strip_prefix(key).and_then(|rest| rest.strip_prefix(':'));
    match value.map(str::trim) {
        Some(value) if !value.is_empty() => Ok(value.to_owned()),
        _ => Err(format!("line {}: expected `//! {key}: …`, found `//!{line}`", index + 1)),
    }
}

fn only_functions(text: &str) -> Result<(), String> {
    use syn::spanned::Spanned;

    let file = syn::parse_file(text).map_err(|error| error.to_string())?;
    for item in &file.items {
        let is_function = match item {
            syn::Item::Fn(_) => true,
            syn::Item::Impl(item) => {
                item.items.iter().all(|inner| matches!(inner, syn::ImplItem::Fn(_)))
            }
            _ => false,
        };
        if !is_function {
            let line = item.span().start().line;
            return Err(format!(
                "line {line}: expected functions and impl blocks alone; \
                 what else a function needs stands in its body"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "//! title: It takes one\n//! file: event.rs\n\
        //! caught by: step1_event::two\n//!\n//! Two is rare.\n\nfn count() -> u8 { 1 }\n";

    #[test]
    fn the_head_says_what_is_replaced_and_what_catches_it() {
        let answer = WrongAnswer::parse("takes-one", ANSWER).unwrap();
        assert_eq!(answer.head.file, "event.rs");
        assert_eq!(answer.head.caught_by, "step1_event::two");
        assert_eq!(answer.functions[0].path, "count");
    }

    #[test]
    fn a_head_without_one_of_its_lines_is_refused() {
        for line in ["//! title: It takes one\n", "//! file: event.rs\n", "//! Two is rare.\n"] {
            let error = WrongAnswer::parse("x", &ANSWER.replace(line, "")).unwrap_err();
            assert!(error.contains("expected"), "{error}");
        }
    }

    #[test]
    fn anything_but_functions_is_refused() {
        let error = WrongAnswer::parse("x", &format!("{ANSWER}use std::fmt;\n")).unwrap_err();
        assert!(error.starts_with("line 8: expected functions"), "{error}");
        let no_function = ANSWER.replace("fn count() -> u8 { 1 }", "");
        assert_eq!(
            WrongAnswer::parse("x", &no_function).unwrap_err(),
            "expected a function, found none"
        );
    }
}
