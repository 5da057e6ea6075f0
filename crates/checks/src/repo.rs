//! Where things are: the repository, its labs, its target folder.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::cargo;
use crate::outcome::NotRun;

/// The repository that is checked.
#[derive(Debug, Clone)]
pub struct Repo {
    /// Its root, absolute.
    pub root: PathBuf,
    /// Cargo's target folder, absolute.
    pub target: PathBuf,
    /// The workspace's packages, each with its folder relative to the root.
    pub packages: Vec<Package>,
}

/// A package of the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its name, as `cargo -p` takes it.
    pub name: String,
    /// Its folder, relative to the root, with `/` between its parts.
    pub folder: String,
    /// Its test programs that a bare `cargo test` leaves out (`test = false`): they need a Docker
    /// engine.
    pub engine_tests: Vec<String>,
}

impl Package {
    /// Whether its tests are a lab's suite, or the suite of what the labs' tests are made with.
    pub fn is_suite(&self) -> bool {
        self.folder.starts_with("solutions/") || self.folder == "tests/testkit"
    }

    /// Whether its tests are the first lab's suite.
    pub fn is_of_first_lab(&self) -> bool {
        self.folder == "solutions/lab01"
    }

    /// Whether a learner edits it.
    pub fn is_lab(&self) -> bool {
        self.folder.starts_with("labs/")
    }
}

impl Repo {
    /// Finds the repository: `root` where it is given, else the nearest folder upwards that holds
    /// both a `Cargo.toml` and `labs`.
    ///
    /// # Errors
    /// When there is none, or cargo cannot read its manifests.
    pub fn find(root: Option<&Path>) -> Result<Repo, NotRun> {
        let root = match root {
            Some(root) => root.to_path_buf(),
            None => nearest_root(&std::env::current_dir()?)
                .ok_or("no repository here: expected a folder with Cargo.toml and labs")?,
        };
        let root = root.canonicalize()?;
        let metadata = cargo::metadata(&root)?;
        let target = metadata["target_directory"].as_str().ok_or("cargo names no target folder")?;
        let packages = packages(&root, &metadata);
        Ok(Repo { target: PathBuf::from(target), packages, root })
    }

    /// The folders of `labs`, by name: `lab01`, `lab02` and so on.
    ///
    /// # Errors
    /// When `labs` cannot be read.
    pub fn labs(&self) -> Result<Vec<String>, NotRun> {
        folders(&self.root.join("labs"))
    }

    /// The labs that were asked for, or all of them.
    ///
    /// # Errors
    /// When a lab that was asked for does not exist.
    pub fn chosen_labs(&self, asked: &[String]) -> Result<Vec<String>, NotRun> {
        let labs = self.labs()?;
        if let Some(unknown) = asked.iter().find(|lab| !labs.contains(lab)) {
            return Err(format!("no lab `{unknown}`, found {}", labs.join(", ")).into());
        }
        Ok(if asked.is_empty() { labs } else { asked.to_vec() })
    }

    /// The folders of `solutions`, by name. A hand-out for a class has none.
    ///
    /// # Errors
    /// When `solutions` cannot be read.
    pub fn solutions(&self) -> Result<Vec<String>, NotRun> {
        folders(&self.root.join("solutions"))
    }
}

/// The folders in a folder that hold a package, sorted; none when there is no such folder.
fn folders(parent: &Path) -> Result<Vec<String>, NotRun> {
    if !parent.is_dir() {
        return Ok(Vec::new());
    }
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(parent)? {
        let entry = entry?;
        if entry.path().join("Cargo.toml").is_file() {
            names.insert(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(names.into_iter().collect())
}

/// All files below a folder, relative to it, sorted.
///
/// # Errors
/// When a folder cannot be read.
pub fn files_below(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut waiting = vec![folder.to_path_buf()];
    while let Some(next) = waiting.pop() {
        for entry in std::fs::read_dir(&next)? {
            let path = entry?.path();
            if path.is_dir() {
                waiting.push(path);
            } else if let Ok(relative) = path.strip_prefix(folder) {
                files.push(relative.to_path_buf());
            }
        }
    }
    files.sort();
    Ok(files)
}

fn nearest_root(from: &Path) -> Option<PathBuf> {
    from.ancestors()
        .find(|folder| folder.join("Cargo.toml").is_file() && folder.join("labs").is_dir())
        .map(Path::to_path_buf)
}

fn packages(root: &Path, metadata: &Value) -> Vec<Package> {
    let package = |package: &Value| {
        let manifest = Path::new(package["manifest_path"].as_str()?);
        let folder = manifest.parent()?.strip_prefix(root).ok()?.to_string_lossy();
        let name = package["name"].as_str()?.to_owned();
        let engine_tests = engine_tests(package);
        Some(Package { name, folder: folder.replace('\\', "/"), engine_tests })
    };
    metadata["packages"].as_array().into_iter().flatten().filter_map(package).collect()
}

fn engine_tests(package: &Value) -> Vec<String> {
    let targets = package["targets"].as_array().into_iter().flatten();
    let left_out = targets.filter(|target| target["kind"][0] == "test" && target["test"] == false);
    left_out.filter_map(|target| Some(target["name"].as_str()?.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_that_a_bare_cargo_test_leaves_out_need_an_engine() {
        let package = serde_json::json!({"targets": [
            {"name": "lib", "kind": ["lib"], "test": false},
            {"name": "life", "kind": ["test"], "test": true},
            {"name": "containers", "kind": ["test"], "test": false},
        ]});
        assert_eq!(engine_tests(&package), ["containers"]);
    }

    #[test]
    fn the_root_is_the_nearest_folder_with_labs() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("labs/lab01/src");
        std::fs::create_dir_all(&inner).unwrap();
        std::fs::write(dir.path().join("labs/lab01/Cargo.toml"), "").unwrap();
        std::fs::write(dir.path().join("Cargo.toml"), "").unwrap();
        assert_eq!(nearest_root(&inner).as_deref(), Some(dir.path()));
    }

    #[test]
    fn a_folder_without_a_manifest_is_no_lab() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("labs/notes")).unwrap();
        std::fs::create_dir_all(dir.path().join("labs/lab02")).unwrap();
        std::fs::write(dir.path().join("labs/lab02/Cargo.toml"), "").unwrap();
        let found = folders(&dir.path().join("labs")).unwrap();
        assert_eq!(found, ["lab02"]);
    }
}
