//! Which lab this is: its files, steps and chapter.

use std::path::{Component, Path, PathBuf};
use std::sync::OnceLock;

/// A lab, as [`lab!`](crate::lab!) describes it.
#[derive(Debug)]
pub struct Lab {
    /// The package whose tests run: the lab's own, or its solution's.
    pub package: &'static str,
    /// The package's folder.
    pub manifest_dir: &'static str,
    /// The chapter, from the root of the workspace.
    pub chapter: &'static str,
    /// The steps, from step 1.
    pub steps: &'static [Step],
}

/// A step of a lab.
#[derive(Debug)]
pub struct Step {
    /// The file that a learner edits, in the package's `src`.
    pub file: &'static str,
    /// What the step is about.
    pub title: &'static str,
}

static LAB: OnceLock<Lab> = OnceLock::new();

pub(crate) fn set(lab: Lab) {
    LAB.set(lab).expect("a test binary belongs to one lab");
}

pub(crate) fn get() -> Option<&'static Lab> {
    LAB.get()
}

impl Lab {
    /// The step with this number, from 1.
    pub(crate) fn step(&self, number: u32) -> Option<&'static Step> {
        self.steps.get(usize::try_from(number).ok()?.checked_sub(1)?)
    }

    /// The file of a step, from the root of the workspace.
    pub(crate) fn file_of(&self, step: &Step) -> String {
        self.shown(&format!("{}/src/{}", self.manifest_dir, step.file))
    }

    /// The chapter behind this lab's own in the book's list of pages; `None` where there is none
    /// yet. A chapter's file begins with its number.
    pub(crate) fn next_chapter(&self) -> Option<String> {
        let (folder, own) = self.chapter.rsplit_once('/')?;
        let list = self.root().join(folder).join("SUMMARY.md");
        let next = next_chapter_in(&std::fs::read_to_string(list).ok()?, own)?;
        Some(format!("{folder}/{next}"))
    }

    fn root(&self) -> &Path {
        Path::new(self.manifest_dir).ancestors().nth(2).unwrap_or(Path::new(""))
    }

    /// A file's path, from the root of the workspace. The compiler knows some files by a way
    /// round (`labs/lab01/../../tests/lab01/main.rs`) and some from the root of the disk.
    pub(crate) fn shown(&self, file: &str) -> String {
        let mut path = PathBuf::new();
        for part in Path::new(file).components() {
            match part {
                Component::ParentDir if path.file_name().is_some() => {
                    path.pop();
                }
                part => path.push(part),
            }
        }
        path.strip_prefix(self.root()).unwrap_or(&path).display().to_string()
    }

    /// The command that runs the tests of one step.
    pub(crate) fn command(&self, step: u32) -> String {
        format!("cargo test -p {} step{step}", self.package)
    }
}

fn next_chapter_in(summary: &str, own: &str) -> Option<String> {
    let pages = summary.lines().filter_map(|line| line.split_once("](")?.1.strip_suffix(')'));
    let mut behind = pages.skip_while(|page| *page != own).skip(1);
    behind.find(|page| page.starts_with(|c: char| c.is_ascii_digit())).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAB: Lab = Lab {
        package: "lab01",
        manifest_dir: "/home/ada/tidemark/labs/lab01",
        chapter: "book/src/01-topics-and-events.md",
        steps: &[Step { file: "event.rs", title: "a flight as strict JSON" }],
    };

    #[test]
    fn a_path_is_shown_from_the_root_of_the_workspace() {
        assert_eq!(LAB.shown("labs/lab01/src/event.rs"), "labs/lab01/src/event.rs");
        assert_eq!(LAB.shown("labs/lab01/../../tests/lab01/given.rs"), "tests/lab01/given.rs");
        assert_eq!(LAB.shown("/home/ada/tidemark/tests/a.rs"), "tests/a.rs");
        assert_eq!(LAB.shown("/usr/lib/b.rs"), "/usr/lib/b.rs");
    }

    #[test]
    fn the_next_chapter_is_the_next_numbered_page() {
        let summary = "# Summary\n\n[Set-up](set-up.md)\n\n- [Topics](01-topics.md)\n  \
                       - [Lab 01](lab01.md)\n- [Producers](02-producers.md)\n\n[Terms](terms.md)\n";
        assert_eq!(next_chapter_in(summary, "01-topics.md").as_deref(), Some("02-producers.md"));
        assert_eq!(next_chapter_in(summary, "02-producers.md"), None);
        assert_eq!(next_chapter_in(summary, "03-offsets.md"), None);
    }

    #[test]
    fn a_step_knows_its_file_and_there_is_no_step_0() {
        assert_eq!(LAB.file_of(LAB.step(1).unwrap()), "labs/lab01/src/event.rs");
        assert!(LAB.step(0).is_none());
        assert!(LAB.step(2).is_none());
    }
}
