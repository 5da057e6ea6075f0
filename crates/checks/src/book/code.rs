//! Code in the book comes from compiled sources, by anchor, and never from inside a hole.

use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use crate::book::page::{Page, Piece, is_include};
use crate::syntax::Source;

/// Judges each block of Rust and each include of a page.
pub fn check(root: &Path, page: &Page) -> Vec<Result<(), String>> {
    let blocks = page.blocks.iter().filter(|block| is_rust(&block.info)).map(|block| {
        let written = block.code.lines().find(|line| !line.trim().is_empty() && !is_include(line));
        match written {
            None => Ok(()),
            Some(line) => Err(format!(
                "{}: Rust that no compiler reads; include it from a source: {}",
                page.at(block.line),
                line.trim()
            )),
        }
    });
    let includes = page.includes.iter().map(|include| {
        check_include(root, page, include)
            .map_err(|why| format!("{}: include `{}`: {why}", page.at(include.line), include.text))
    });
    blocks.chain(includes).collect()
}

fn is_rust(info: &str) -> bool {
    let language = info.split([',', ' ', '{']).next().unwrap_or_default();
    matches!(language, "rust" | "rs")
}

fn check_include(root: &Path, page: &Page, include: &Piece) -> Result<(), String> {
    // Behind the target may stand marks for the block, parted by spaces.
    let target = include.text.split_whitespace().next().unwrap_or_default();
    let (file, part) = target.split_once(':').unwrap_or((target, ""));
    let folder = Path::new(&page.name).parent().unwrap_or(Path::new(""));
    let file = plain(&folder.join(file)).ok_or("it leads out of the repository")?;
    let text = std::fs::read_to_string(root.join(&file)).map_err(|error| error.to_string())?;
    let lines = part_lines(&text, part)?;
    match solution_and_lab(&file) {
        Some(lab_file) => outside_of_holes(root, &lab_file, text, &lines),
        None => Ok(()),
    }
}

/// A path without `.` and `..`; `None` where it leads above its start.
pub fn plain(path: &Path) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(part) => plain.push(part),
            Component::CurDir => {}
            Component::ParentDir if plain.pop() => {}
            _ => return None,
        }
    }
    Some(plain)
}

/// The lines, from 1, that an include takes: all, an anchor, or numbers. mdBook itself takes in
/// nothing, and says nothing, where an anchor is missing.
fn part_lines(text: &str, part: &str) -> Result<Range<usize>, String> {
    let count = text.lines().count();
    if part.is_empty() {
        return Ok(1..count + 1);
    }
    if part.starts_with(|c: char| c.is_ascii_digit() || c == ':') {
        return Err("include by anchor, not by line: lines move".to_owned());
    }
    let line_with = |mark: String| {
        let marked = |line: &str| line.split(mark.as_str()).nth(1).map(ends_a_word);
        text.lines().position(|line| marked(line) == Some(true)).map(|index| index + 1)
    };
    let start = line_with(format!("ANCHOR: {part}")).ok_or("the file has no such anchor")?;
    let end = line_with(format!("ANCHOR_END: {part}")).ok_or("the anchor does not end")?;
    if end <= start + 1 {
        return Err("the anchor holds nothing".to_owned());
    }
    Ok(start + 1..end)
}

fn ends_a_word(rest: &str) -> bool {
    !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '-')
}

/// `labs/lab01/src/event.rs` for `solutions/lab01/src/event.rs`.
fn solution_and_lab(file: &Path) -> Option<PathBuf> {
    let rest = file.strip_prefix("solutions").ok()?;
    (file.extension()? == "rs").then(|| Path::new("labs").join(rest))
}

/// A learner who reads the book must not meet the answer.
fn outside_of_holes(
    root: &Path,
    lab_file: &Path,
    solution: String,
    lines: &Range<usize>,
) -> Result<(), String> {
    let Ok(skeleton) = std::fs::read_to_string(root.join(lab_file)) else { return Ok(()) };
    let skeleton = Source::parse(skeleton)?;
    let solution = Source::parse(solution)?;
    for hole in skeleton.functions.iter().filter(|function| !function.todos.is_empty()) {
        let Some(answer) = solution.function(&hole.path) else { continue };
        if answer.body_lines.start < lines.end && lines.start < answer.body_lines.end {
            return Err(format!("it shows the answer to `{}`", hole.path));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let rest = "// ANCHOR: given\nfn given() -> u8 {\n    7\n}\n// ANCHOR_END: given\n\
            // ANCHOR: open\n";
        write(
            "labs/lab01/src/a.rs",
            &format!("fn hole() {{\n    todo!(\"step 1: x\")\n}}\n{rest}"),
        );
        write("solutions/lab01/src/a.rs", &format!("fn hole() {{\n    answer()\n}}\n{rest}"));
        dir
    }

    fn judge(text: &str) -> Vec<String> {
        let page = Page::parse("book/src/a.md", text);
        check(tree().path(), &page).into_iter().filter_map(Result::err).collect()
    }

    fn include(target: &str) -> Vec<String> {
        judge(&format!("```rust\n{{{{#include ../../{target}}}}}\n```\n"))
    }

    #[test]
    fn an_anchor_of_a_compiled_source_is_right() {
        assert_eq!(include("labs/lab01/src/a.rs:given"), Vec::<String>::new());
        assert_eq!(include("labs/lab01/src/a.rs"), Vec::<String>::new());
        assert_eq!(include("solutions/lab01/src/a.rs:given"), Vec::<String>::new());
    }

    #[test]
    fn what_cannot_be_included_is_said() {
        for (target, why) in [
            ("labs/lab01/src/a.rs:giv", "no such anchor"),
            ("labs/lab01/src/a.rs:open", "does not end"),
            ("labs/lab01/src/a.rs:1:3", "not by line"),
            ("labs/lab01/src/b.rs", "No such file"),
            ("../../etc/passwd", "out of the repository"),
        ] {
            let failures = include(target);
            assert!(failures[0].contains(why), "{failures:?}");
        }
    }

    #[test]
    fn the_answer_to_a_hole_is_never_shown() {
        let failures = include("solutions/lab01/src/a.rs");
        assert!(failures[0].ends_with("it shows the answer to `hole`"), "{failures:?}");
    }

    #[test]
    fn rust_written_by_hand_is_refused() {
        let failures = judge("```rust,ignore\nfn main() {}\n```\n");
        assert!(failures[0].starts_with("book/src/a.md:1: Rust that no compiler reads"));
        assert_eq!(judge("```console\n$ make test\n```\n"), Vec::<String>::new());
    }
}
