//! `checks lints`: format, clippy, build and doc without a single warning, skeletons included. `checks tls`:
//! clippy for what needs OpenSSL.

use std::process::{Command, Stdio};

use crate::cargo::{self, Run};
use crate::outcome::{NotRun, Outcome, Tally, plural};
use crate::repo::{Package, Repo};

/// The calls of cargo for the whole workspace. None changes a flag of the compiler, so no dependency is built anew.
const CALLS: [&[&str]; 5] = [
    &["fmt", "--all", "--check"],
    &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"],
    &["build", "--workspace"],
    &["test", "--workspace", "--no-run"],
    &["doc", "--workspace", "--no-deps"],
];

/// The rig with TLS and all its tests, those of `make secured TLS=1` as well: the calls above leave the feature out.
const TLS_CALL: [&str; 11] = [
    "clippy",
    "-p",
    "rig",
    "-p",
    "rig-program",
    "--features",
    "tls",
    "--all-targets",
    "--",
    "-D",
    "warnings",
];

/// Runs each call and looks for warnings.
///
/// # Errors
/// When cargo cannot be started.
pub fn run(repo: &Repo) -> Result<Outcome, NotRun> {
    let mut tally = Tally::default();
    let left_out = repo.packages.iter().filter_map(clippy_of_engine_tests);
    for arguments in CALLS.map(<[_]>::to_vec).into_iter().chain(left_out) {
        let run = cargo::run(cargo::cargo(&repo.root).args(&arguments))?;
        tally.count(silent(&arguments, &run));
    }
    Ok(tally.outcome("workspace".to_owned(), "format, clippy, build, test, doc: no warning"))
}

/// Runs clippy for the feature `tls` and looks for warnings. Left out where OpenSSL's headers are missing: nobody
/// needs them to learn.
///
/// # Errors
/// When cargo cannot be started.
pub fn run_tls(repo: &Repo) -> Result<Outcome, NotRun> {
    if !has_openssl("pkg-config") {
        return Ok(Outcome::left_out(
            "no headers of OpenSSL here, so what needs TLS was not compiled (Debian, Ubuntu: sudo apt install \
             libssl-dev pkg-config)",
        ));
    }
    let mut tally = Tally::default();
    let run = cargo::run(cargo::cargo(&repo.root).args(TLS_CALL))?;
    tally.count(silent(&TLS_CALL, &run));
    Ok(tally.outcome("rig, rig-program".to_owned(), "clippy with TLS: no warning"))
}

/// Whether the headers are here, by the program that the builds of OpenSSL's crate and of librdkafka ask as well.
fn has_openssl(pkg_config: &str) -> bool {
    let mut asked = Command::new(pkg_config);
    asked.args(["--exists", "openssl"]).stdout(Stdio::null()).stderr(Stdio::null());
    asked.status().is_ok_and(|status| status.success())
}

/// `--all-targets` means all but the test programs that a bare `cargo test` leaves out.
fn clippy_of_engine_tests(package: &Package) -> Option<Vec<&str>> {
    let programs = package.engine_tests.iter().flat_map(|name| ["--test", name]);
    let arguments = ["clippy", "-p", &package.name].into_iter().chain(programs);
    let arguments = arguments.chain(["--", "-D", "warnings"]).collect();
    (!package.engine_tests.is_empty()).then_some(arguments)
}

/// A warning counts wherever it comes from: the compiler, rustdoc, or cargo itself (two targets
/// of one name, an unused key in a manifest). Cargo repeats the warnings of what it does not
/// compile again.
fn silent(arguments: &[&str], run: &Run) -> Result<(), String> {
    let is_warning = |line: &str| line.starts_with("warning:") || line.starts_with("warning[");
    let warnings = run.output.lines().filter(|line| is_warning(line)).count();
    if run.status.success() && warnings == 0 {
        return Ok(());
    }
    let progress = ["Compiling ", "Checking ", "Fresh ", "Documenting ", "Downloaded "];
    let shown: Vec<&str> = run
        .output
        .lines()
        .filter(|line| !progress.iter().any(|word| line.trim_start().starts_with(word)))
        .collect();
    Err(format!(
        "cargo {}: {}, {}\n{}",
        arguments.join(" "),
        plural(warnings, "warning"),
        run.status,
        shown.join("\n")
    ))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn judge(script: &str) -> Result<(), String> {
        silent(&["build"], &cargo::run(Command::new("sh").args(["-c", script])).unwrap())
    }

    #[test]
    fn what_needs_an_engine_is_named_to_clippy() {
        let package = |tests: &[&str]| Package {
            name: "rig-program".to_owned(),
            folder: "crates/rig/program".to_owned(),
            engine_tests: tests.iter().map(|name| (*name).to_owned()).collect(),
        };
        assert_eq!(clippy_of_engine_tests(&package(&[])), None);
        let expected = "clippy -p rig-program --test containers --test disk_full -- -D warnings";
        let engine_tests = package(&["containers", "disk_full"]);
        let arguments = clippy_of_engine_tests(&engine_tests).unwrap();
        assert_eq!(arguments.join(" "), expected);
    }

    #[test]
    fn without_the_headers_or_who_knows_of_them_openssl_is_missing() {
        assert!(has_openssl("true"));
        assert!(!has_openssl("false"));
        assert!(!has_openssl("no-such-program"));
    }

    #[test]
    fn a_silent_success_passes() {
        assert_eq!(judge("echo '   Compiling lab01 v0.1.0'"), Ok(()));
    }

    #[test]
    fn a_warning_fails_though_cargo_succeeds() {
        let error = judge("echo '   Compiling x'; echo 'warning: unused import'").unwrap_err();
        assert!(error.starts_with("cargo build: 1 warning, exit status: 0"), "{error}");
        assert!(!error.contains("Compiling"), "{error}");
    }

    #[test]
    fn an_error_fails_without_a_warning() {
        assert!(judge("echo 'error: no'; exit 101").is_err());
    }
}
