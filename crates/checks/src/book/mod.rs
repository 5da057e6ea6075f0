//! `checks book`: the book builds, and what it links to, includes and names exists.

mod code;
mod links;
mod names;
mod page;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cargo::{self, Run};
use crate::outcome::{NotRun, Outcome, Tally, plural};
use crate::repo::{Repo, files_below};
use names::Names;
use page::Page;

/// Pages outside of the book whose paths, commands and links are checked too.
const OTHER_PAGES: [&str; 3] = ["README.md", "CONTRIBUTING.md", "labs/AGENTS.md"];

/// Builds the book and checks it.
///
/// # Errors
/// When there is no book, or no mdBook.
pub fn run(repo: &Repo) -> Result<Outcome, NotRun> {
    if !repo.root.join("book/book.toml").is_file() {
        return Err("no book: expected book/book.toml".into());
    }
    let mut tally = Tally::default();
    let built = tempfile::tempdir()?;
    let run = build(repo, built.path())?;
    tally.count(built_silently(&run));

    let html = built.path().join("html");
    // With one output format mdBook writes straight into the folder.
    let html = if html.is_dir() { html } else { built.path().to_path_buf() };
    let links = links::check(&html)?;
    let found = links.results.len();
    links.results.into_iter().for_each(|result| tally.count(result));

    let names = Names {
        targets: names::make_targets(&read(&repo.root.join("Makefile"))),
        packages: repo.packages.iter().map(|package| package.name.clone()).collect(),
        made: names::made_folders(&read(&repo.root.join(".gitignore"))),
    };
    let mut blocks = 0;
    for page in pages(&repo.root)? {
        let text = std::fs::read_to_string(repo.root.join(&page))?;
        let page = Page::parse(&page, &text);
        blocks += page.includes.len();
        let results = [
            code::check(&repo.root, &page),
            names::check(&repo.root, &page, &names),
            local_links(&repo.root, &page),
        ];
        results.concat().into_iter().for_each(|result| tally.count(result));
    }
    let verdict = format!("builds, {found} links, {blocks} code blocks from compiled sources");
    Ok(tally.outcome(plural(links.pages, "page"), verdict))
}

fn build(repo: &Repo, into: &Path) -> Result<Run, NotRun> {
    let program = mdbook(&repo.root);
    let mut command = Command::new(&program);
    cargo::learners_environment(&mut command);
    command.current_dir(&repo.root).args(["build", "book", "--dest-dir"]).arg(into);
    cargo::run(&mut command)
        .map_err(|error| format!("{error}; `make setup` installs mdBook").into())
}

/// The mdBook that `make setup` installed, else the one on the path.
fn mdbook(root: &Path) -> PathBuf {
    let own = root.join(".venv/bin/mdbook");
    if own.is_file() { own } else { PathBuf::from("mdbook") }
}

/// mdBook ends well though a file that it should include is missing. Its log tells.
fn built_silently(run: &Run) -> Result<(), String> {
    let is_trouble = |line: &&str| {
        let mut words = line.split_whitespace();
        let level = words.find(|word| word.chars().all(|c| c.is_ascii_uppercase()));
        matches!(level, Some("WARN" | "ERROR"))
    };
    let trouble: Vec<&str> = run.output.lines().filter(is_trouble).collect();
    if run.status.success() && trouble.is_empty() {
        return Ok(());
    }
    Err(format!("mdbook build book: {}\n{}", run.status, run.output))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// The Markdown files to check, relative to the root.
fn pages(root: &Path) -> Result<Vec<String>, NotRun> {
    let mut pages: Vec<String> = files_below(&root.join("book/src"))?
        .into_iter()
        .filter(|file| file.extension().is_some_and(|extension| extension == "md"))
        .map(|file| format!("book/src/{}", file.to_string_lossy().replace('\\', "/")))
        .collect();
    let others = OTHER_PAGES.iter().filter(|page| root.join(page).is_file());
    pages.extend(others.map(|page| (*page).to_owned()));
    Ok(pages)
}

/// The links of pages outside of the book lead to files of the repository.
fn local_links(root: &Path, page: &Page) -> Vec<Result<(), String>> {
    if page.name.starts_with("book/") {
        return Vec::new();
    }
    let folder = Path::new(&page.name).parent().unwrap_or(Path::new(""));
    let is_local = |link: &&page::Piece| !link.text.contains(':') && !link.text.starts_with('#');
    let judge = |link: &page::Piece| {
        let path = link.text.split('#').next().unwrap_or_default();
        let target = code::plain(&folder.join(path));
        match target.is_some_and(|target| root.join(target).exists()) {
            true => Ok(()),
            false => Err(format!("{}: `{path}` does not exist", page.at(link.line))),
        }
    };
    page.links.iter().filter(is_local).map(judge).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(script: &str) -> Result<(), String> {
        built_silently(&cargo::run(Command::new("sh").args(["-c", script])).unwrap())
    }

    #[test]
    fn a_warning_in_mdbooks_log_is_a_failure() {
        assert_eq!(judge("echo ' INFO Book building has started'"), Ok(()));
        assert_eq!(judge("echo ' INFO Page WARN is written'"), Ok(()));
        assert!(judge("echo 'ERROR Error updating \"{{#include x.rs}}\"'").is_err());
        assert!(judge("echo ' WARN Caused By: no such file'").is_err());
        assert!(judge("exit 1").is_err());
    }

    #[test]
    fn a_link_of_the_readme_leads_to_a_file() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("LICENSE"), "").unwrap();
        let text = "[l](LICENSE) [n](NOTICE) [w](https://x.org) [h](#here)\n";
        let results = local_links(dir.path(), &Page::parse("README.md", text));
        let failures: Vec<_> = results.into_iter().filter_map(Result::err).collect();
        assert_eq!(failures, ["README.md:1: `NOTICE` does not exist"]);
    }
}
