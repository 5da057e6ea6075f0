//! The generated workspace `target/wrong`: each lab as its reference answer with all wrong answers
//! switched in.
//!
//! A generated lab has the name and the place (`labs/lab01`) of the real one, so that what its
//! tests print is what a learner reads. It shares the folder of build products with the real
//! workspace, so that no registry dependency is built again; its version is another one, so that
//! cargo never takes the one lab for the other.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use toml::{Table, Value};

use crate::cargo;
use crate::repo::{Repo, files_below};
use crate::syntax::Source;
use crate::wrong::answer::WrongAnswer;
use crate::wrong::switch::splice;

/// Keeps a generated lab's build products apart from those of the real one.
const VERSION: &str = "0.0.0-wrong";

/// A generated workspace.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// Its root.
    pub root: PathBuf,
}

impl Workspace {
    /// Writes the workspace's own files: manifest, and links to what the labs' tests read from the
    /// repository.
    ///
    /// # Errors
    /// When a manifest cannot be read or a file cannot be written.
    pub fn generate(repo: &Repo) -> Result<Workspace, String> {
        let root = repo.target.join("wrong");
        let workspace = Workspace { root: root.clone() };
        std::fs::create_dir_all(root.join("labs")).map_err(|e| in_file(&root, e))?;
        let mut manifest = read_toml(&repo.root.join("Cargo.toml"))?;
        adapt_root_manifest(&mut manifest, &repo.root);
        write_if_changed(&root.join("Cargo.toml"), &manifest.to_string())?;
        for entry in ["tests", "data", "book", "crates", "solutions", "versions.env"] {
            link(&repo.root.join(entry), &root.join(entry)).map_err(|e| in_file(&root, e))?;
        }
        Ok(workspace)
    }

    /// Writes one lab: the solution's sources with the wrong answers in them, and the lock file.
    ///
    /// # Errors
    /// When an answer does not fit, or a file cannot be read or written.
    pub fn add_lab(&self, repo: &Repo, lab: &str, answers: &[WrongAnswer]) -> Result<(), String> {
        let folder = self.root.join("labs").join(lab);
        let solution = repo.root.join("solutions").join(lab);
        let manifest_path = repo.root.join("labs").join(lab).join("Cargo.toml");
        let mut manifest = read_toml(&manifest_path)?;
        make_paths_absolute(&mut manifest, &repo.root.join("labs").join(lab));
        write_if_changed(&folder.join("Cargo.toml"), &manifest.to_string())?;

        let mut by_file: BTreeMap<&str, Vec<&WrongAnswer>> = BTreeMap::new();
        for answer in answers {
            by_file.entry(&answer.head.file).or_default().push(answer);
        }
        let sources = files_below(&solution.join("src")).map_err(|e| in_file(&solution, e))?;
        for file in &sources {
            let from = solution.join("src").join(file);
            let text = std::fs::read_to_string(&from).map_err(|e| in_file(&from, e))?;
            let text = text.replace(&format!("extern crate {lab}_solution as {lab};"), "");
            let answers = by_file.remove(file.to_string_lossy().as_ref()).unwrap_or_default();
            let text = match answers.is_empty() {
                true => text,
                false => splice(&Source::parse(text).map_err(|e| in_file(&from, e))?, &answers)?,
            };
            write_if_changed(&folder.join("src").join(file), &text)?;
        }
        if let Some((file, answers)) = by_file.first_key_value() {
            let slug = &answers[0].head.slug;
            return Err(format!("wrong answer `{slug}`: solutions/{lab}/src has no `{file}`"));
        }
        remove_others(&folder.join("src"), &sources).map_err(|e| in_file(&folder, e))?;
        take_lock_file(&repo.root, &self.root)
    }

    /// `cargo test -p <lab> --no-run` in this workspace, with the build products of the real one.
    pub fn build(&self, repo: &Repo, lab: &str) -> Command {
        let mut command = cargo::cargo(&repo.root);
        command
            .args(["test", "-p", lab, "--no-run", "--manifest-path"])
            .arg(self.root.join("Cargo.toml"))
            .env("CARGO_BUILD_BUILD_DIR", &repo.target)
            .env("CARGO_TARGET_DIR", self.root.join("target"));
        command
    }
}

fn in_file(path: &Path, error: impl std::fmt::Display) -> String {
    format!("{}: {error}", path.display())
}

fn read_toml(path: &Path) -> Result<Table, String> {
    let text = std::fs::read_to_string(path).map_err(|error| in_file(path, error))?;
    text.parse().map_err(|error| in_file(path, error))
}

fn adapt_root_manifest(manifest: &mut Table, root: &Path) {
    let Some(Value::Table(workspace)) = manifest.get_mut("workspace") else { return };
    workspace.insert("members".to_owned(), Value::Array(vec!["labs/*".into()]));
    workspace.remove("default-members");
    if let Some(Value::Table(package)) = workspace.get_mut("package") {
        package.insert("version".to_owned(), VERSION.into());
    }
    make_paths_absolute(workspace, root);
    workspace.remove("exclude");
}

/// Makes the `path` of each dependency absolute. `[[test]]` and `[[bin]]` keep theirs.
fn make_paths_absolute(manifest: &mut Table, base: &Path) {
    for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
        let Some(Value::Table(dependencies)) = manifest.get_mut(section) else { continue };
        for (_, dependency) in dependencies.iter_mut() {
            let path = dependency.get("path").and_then(Value::as_str).map(|path| base.join(path));
            if let (Some(path), Value::Table(dependency)) = (path, dependency) {
                let path = path.canonicalize().unwrap_or(path);
                dependency.insert("path".to_owned(), path.to_string_lossy().as_ref().into());
            }
        }
    }
}

/// Writes a file unless it holds the text already: cargo goes by the time of the last change.
fn write_if_changed(path: &Path, text: &str) -> Result<(), String> {
    if std::fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder).map_err(|error| in_file(folder, error))?;
    std::fs::write(path, text).map_err(|error| in_file(path, error))
}

/// Takes the repository's lock file. Cargo drops from its copy what the labs that are generated by
/// then do not need; for a lab that comes later it would take the newest versions there are.
fn take_lock_file(repo: &Path, root: &Path) -> Result<(), String> {
    let from = repo.join("Cargo.lock");
    let text = std::fs::read_to_string(&from).map_err(|error| in_file(&from, error))?;
    write_if_changed(&root.join("Cargo.lock"), &text)
}

fn link(from: &Path, to: &Path) -> io::Result<()> {
    if to.symlink_metadata().is_ok() {
        if std::fs::read_link(to).is_ok_and(|target| target == from) {
            return Ok(());
        }
        std::fs::remove_file(to)?;
    }
    #[cfg(unix)]
    return std::os::unix::fs::symlink(from, to);
    #[cfg(not(unix))]
    return Err(io::Error::other("symbolic links are needed; run this in WSL2"));
}

fn remove_others(folder: &Path, wanted: &[PathBuf]) -> io::Result<()> {
    for file in files_below(folder)? {
        if !wanted.contains(&file) {
            std::fs::remove_file(folder.join(file))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_dependencies_become_absolute() {
        let mut manifest: Table = "[dependencies]\nlab01 = { path = \"../../solutions/lab01\" }\n\
             serde = \"1\"\n[[test]]\npath = \"../../tests/lab04/main.rs\"\n"
            .parse()
            .unwrap();
        make_paths_absolute(&mut manifest, Path::new("/no/labs/lab04"));
        let text = manifest.to_string();
        assert!(text.contains("/no/labs/lab04/../../solutions/lab01"), "{text}");
        assert!(text.contains("path = \"../../tests/lab04/main.rs\""), "{text}");
    }

    #[test]
    fn an_equal_text_is_not_written_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b.rs");
        write_if_changed(&path, "one").unwrap();
        let first = std::fs::metadata(&path).unwrap().modified().unwrap();
        write_if_changed(&path, "one").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().modified().unwrap(), first);
        write_if_changed(&path, "two").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "two");
    }

    #[test]
    fn each_lab_has_the_versions_of_the_repositorys_lock_file() {
        let (repo, generated) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(repo.path().join("Cargo.lock"), "all of it").unwrap();
        take_lock_file(repo.path(), generated.path()).unwrap();
        let copy = generated.path().join("Cargo.lock");
        std::fs::write(&copy, "what lab01 needs").unwrap();
        take_lock_file(repo.path(), generated.path()).unwrap();
        assert_eq!(std::fs::read_to_string(copy).unwrap(), "all of it");
    }

    #[test]
    fn a_source_that_the_solution_no_longer_has_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("old.rs"), "").unwrap();
        std::fs::write(dir.path().join("lib.rs"), "").unwrap();
        remove_others(dir.path(), &[PathBuf::from("lib.rs")]).unwrap();
        assert_eq!(files_below(dir.path()).unwrap(), [PathBuf::from("lib.rs")]);
    }
}
