//! What the prose names exists: paths, make targets, packages.

use std::collections::BTreeSet;
use std::path::Path;

use crate::book::code::plain;
use crate::book::page::Page;

/// What there is to name.
#[derive(Debug, Default)]
pub struct Names {
    /// The targets of the Makefile that have a `##` comment.
    pub targets: BTreeSet<String>,
    /// The packages of the workspace.
    pub packages: BTreeSet<String>,
    /// The folders that are made and not kept, from `.gitignore`.
    pub made: Vec<String>,
}

/// The folders at the root whose paths are checked.
const FOLDERS: [&str; 10] =
    ["bin", "book", "crates", "data", "docs", "labs", "scripts", "solutions", "tests", "target"];

/// The pages on which a command may be for one kind of servers alone: there the ways to have them are
/// explained. Everywhere else, learners with and without Docker type the same.
const PAGES_ON_SERVERS: [&str; 3] =
    ["book/src/set-up.md", "book/src/how-tests-reach-kafka.md", "CONTRIBUTING.md"];

/// Reads the targets that `make help` shows.
pub fn make_targets(makefile: &str) -> BTreeSet<String> {
    let documented = makefile.lines().filter(|line| line.contains("## "));
    documented
        .filter_map(|line| line.split_once(':'))
        .flat_map(|(targets, _)| targets.split_whitespace())
        .filter(|target| target.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'))
        .map(str::to_owned)
        .collect()
}

/// Judges each path, make target and package that a page names.
pub fn check(root: &Path, page: &Page, names: &Names) -> Vec<Result<(), String>> {
    let mut results = Vec::new();
    for piece in &page.inline {
        let place = page.at(piece.line);
        results.extend(path_result(root, &piece.text, names, &place));
        results.extend(command_results(&piece.text, names, &place));
    }
    for block in page.blocks.iter().filter(|block| is_shell(&block.info)) {
        for (line, number) in block.code.lines().zip(block.line + 1..) {
            results.extend(command_results(line, names, &page.at(number)));
            results.extend(same_for_all(line, &page.name, &page.at(number)));
        }
    }
    results
}

/// A line of a block is no command for one kind of servers alone.
fn same_for_all(line: &str, page: &str, place: &str) -> Option<Result<(), String>> {
    if PAGES_ON_SERVERS.contains(&page) {
        return None;
    }
    let command = line.trim().trim_start_matches(['$', '#']).trim();
    let is_for_some = ["docker", "bin/compose", "TIDEMARK_RIG", "export TIDEMARK_RIG"]
        .iter()
        .any(|start| command.starts_with(start));
    is_for_some.then(|| Err(format!("{place}: `{command}` is for one kind of servers alone")))
}

fn is_shell(info: &str) -> bool {
    let language = info.split([',', ' ']).next().unwrap_or_default();
    matches!(language, "" | "text" | "console" | "sh" | "bash" | "shell")
}

/// A path of the repository in code font exists. Names with a placeholder in them (`labs/labNN`,
/// `labs/*/src`) and what is made, not kept, are left alone.
fn path_result(root: &Path, text: &str, names: &Names, place: &str) -> Option<Result<(), String>> {
    let path = text.split_once(':').map_or(text, |(path, _)| path);
    let (folder, rest) = path.split_once('/')?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if !FOLDERS.contains(&folder) || !rest.chars().all(is_plain) || rest.contains("NN") {
        return None;
    }
    let slashed = format!("{path}/");
    if names.made.iter().any(|made| slashed.starts_with(made.as_str())) {
        return None;
    }
    let exists = plain(Path::new(path)).is_some_and(|path| root.join(path).exists());
    Some(if exists { Ok(()) } else { Err(format!("{place}: `{path}` does not exist")) })
}

/// The folders of `.gitignore`, without the leading slash: `target/`, `data/full/`.
pub fn made_folders(gitignore: &str) -> Vec<String> {
    gitignore
        .lines()
        .map(|line| line.trim().trim_start_matches('/'))
        .filter(|line| line.ends_with('/'))
        .map(str::to_owned)
        .collect()
}

/// `make x` and `cargo … -p x` at the start of a line, behind a prompt, or behind `&&`.
fn command_results(line: &str, names: &Names, place: &str) -> Vec<Result<(), String>> {
    let commands = line.split("&&").map(|part| part.trim().trim_start_matches(['$', '#']).trim());
    commands.filter_map(|command| command_result(command, names, place)).collect()
}

fn command_result(command: &str, names: &Names, place: &str) -> Option<Result<(), String>> {
    let mut words = command.split_whitespace();
    let known = |known: bool, what: String| {
        Some(if known { Ok(()) } else { Err(format!("{place}: `{command}`: {what}")) })
    };
    match words.next()? {
        "make" => {
            let target = words.find(|word| !word.starts_with('-') && !word.contains('='))?;
            known(names.targets.contains(target), format!("make has no target `{target}`"))
        }
        "cargo" => {
            // What stands behind `--` is the program's, not cargo's.
            let mut words = words.take_while(|word| *word != "--");
            words.find(|word| matches!(*word, "-p" | "--package"))?;
            let package = words.next()?;
            let is_placeholder = package.contains("NN") || package.contains('…');
            let is_known = is_placeholder || names.packages.contains(package);
            known(is_known, format!("the workspace has no package `{package}`"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(text: &str) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("labs/lab01/src")).unwrap();
        let names = Names {
            targets: make_targets("up: build ## Starts\nhidden:\nV := 1\n"),
            packages: BTreeSet::from(["lab01".to_owned()]),
            made: made_folders("/target/\n/data/full/\n/.env\n"),
        };
        let page = Page::parse("a.md", text);
        check(dir.path(), &page, &names).into_iter().filter_map(Result::err).collect()
    }

    #[test]
    fn what_exists_may_be_named() {
        let text = "`labs/lab01/src` `labs/lab01/src:3` `labs/labNN/src` `labs/*` `data/full/a.csv` \
            `make up` `cargo test -p lab01 step1` `cargo run -p lab01 -- -p x`\n\n\
            ```console\n$ make up && cargo test -p lab01\nrunning 3 tests\n```\n";
        assert_eq!(judge(text), Vec::<String>::new());
    }

    #[test]
    fn what_does_not_exist_is_said_with_its_line() {
        for (text, why) in [
            ("`labs/lab02/src`", "a.md:1: `labs/lab02/src` does not exist"),
            ("`make hidden`", "a.md:1: `make hidden`: make has no target `hidden`"),
            (
                "`cargo test -p lab02`",
                "a.md:1: `cargo test -p lab02`: the workspace has no package `lab02`",
            ),
            (
                "\n```console\n$ docker ps\n```\n",
                "a.md:3: `docker ps` is for one kind of servers alone",
            ),
            ("\n```console\n$ make nope\n```\n", "a.md:3: `make nope`: make has no target `nope`"),
        ] {
            assert_eq!(judge(text), [why]);
        }
    }
}
