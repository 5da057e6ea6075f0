//! Calls cargo and other programs, and reads what they say.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::outcome::NotRun;

/// What a program printed, its two streams in the order in which they were written, and how it
/// ended.
#[derive(Debug)]
pub struct Run {
    /// How it ended.
    pub status: ExitStatus,
    /// Standard output and standard error together.
    pub output: String,
}

/// Cargo in the repository, with an environment like that of a learner's terminal.
///
/// What an outer cargo or a maintainer's shell sets for itself is taken away: it would end up in
/// build scripts and in messages.
pub fn cargo(root: &Path) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(root);
    learners_environment(&mut command);
    command
}

/// Takes away what a learner's terminal does not have.
pub fn learners_environment(command: &mut Command) {
    let set_by_cargo = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "TIDEMARK_REPORT"];
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if set_by_cargo.iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(name.as_ref());
        }
    }
    command.env_remove("RUST_BACKTRACE").env_remove("TIDEMARK_WRONG");
    command.env("CARGO_TERM_COLOR", "never").env("CARGO_TERM_PROGRESS_WHEN", "never");
}

/// Runs a program to its end with both of its streams in one pipe, as a terminal would show them.
///
/// # Errors
/// When it cannot be started.
pub fn run(command: &mut Command) -> Result<Run, NotRun> {
    run_within(command, Duration::MAX)
}

/// As [`run`], but a program that takes longer than `limit` is killed; its output then ends with a
/// line that says so.
///
/// # Errors
/// When it cannot be started.
pub fn run_within(command: &mut Command, limit: Duration) -> Result<Run, NotRun> {
    /// Between two looks at whether it has ended.
    const LOOK_EVERY: Duration = Duration::from_millis(5);

    let program = command.get_program().to_string_lossy().into_owned();
    let (mut reader, writer) = std::io::pipe()?;
    command.stdin(std::process::Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    let started = Instant::now();
    let mut child =
        command.spawn().map_err(|error| format!("cannot start `{program}`: {error}"))?;
    // The command still holds the pipe's writing end; while it does, the pipe never ends.
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let said = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).map(|_| bytes)
    });
    let mut killed = String::new();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if killed.is_empty() && started.elapsed() >= limit {
            child.kill()?;
            killed = format!("killed: it did not end within {} s\n", limit.as_secs());
        }
        std::thread::sleep(LOOK_EVERY);
    };
    let bytes = said.join().map_err(|_| "the output could not be read".to_owned())??;
    Ok(Run { status, output: String::from_utf8_lossy(&bytes).into_owned() + &killed })
}

/// Runs a program to its end with its streams apart: all of its standard output, then all of its
/// standard error. Nothing that another writer says stands between two words of a verdict.
///
/// # Errors
/// When it cannot be started.
pub fn run_apart(command: &mut Command) -> Result<Run, NotRun> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(std::process::Stdio::null())
        .output()
        .map_err(|error| format!("cannot start `{program}`: {error}"))?;
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    Ok(Run { status: output.status, output: text(&output.stdout) + &text(&output.stderr) })
}

/// `cargo metadata` of the workspace alone.
///
/// # Errors
/// When cargo is missing or refuses the manifests.
pub fn metadata(root: &Path) -> Result<Value, NotRun> {
    let output = cargo(root).args(["metadata", "--no-deps", "--format-version=1"]).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned().into());
    }
    serde_json::from_slice(&output.stdout).map_err(|error| NotRun(error.to_string()))
}

/// What a build with `--message-format=json` made.
#[derive(Debug, Default)]
pub struct Built {
    /// The packages outside of the folder of path packages that were compiled, not found fresh.
    pub compiled: BTreeSet<String>,
    /// The test programs, by the name of the test target.
    pub tests: Vec<(String, PathBuf)>,
    /// The other programs, by the name of the target.
    pub programs: Vec<(String, PathBuf)>,
    /// What the compiler said, as a person reads it.
    pub said: String,
    /// Whether the build succeeded.
    pub success: bool,
}

/// Builds with `--message-format=json` and sorts what came of it.
///
/// # Errors
/// When cargo cannot be started.
pub fn build(command: &mut Command) -> Result<Built, NotRun> {
    let output = command.arg("--message-format=json").output()?;
    let mut built = read_messages(&String::from_utf8_lossy(&output.stdout));
    built.success = output.status.success();
    if !built.success {
        built.said.push_str(&String::from_utf8_lossy(&output.stderr));
    }
    Ok(built)
}

/// Reads cargo's JSON messages, one a line.
fn read_messages(stdout: &str) -> Built {
    let mut built = Built::default();
    for message in stdout.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        match message["reason"].as_str() {
            Some("compiler-artifact") => read_artifact(&message, &mut built),
            Some("compiler-message") => {
                built.said.push_str(message["message"]["rendered"].as_str().unwrap_or_default());
            }
            _ => {}
        }
    }
    built
}

fn read_artifact(message: &Value, built: &mut Built) {
    if message["fresh"] == Value::Bool(false) {
        let id = message["package_id"].as_str().unwrap_or_default();
        built.compiled.insert(package_of(id));
    }
    let Some(executable) = message["executable"].as_str() else { return };
    let name = message["target"]["name"].as_str().unwrap_or_default().to_owned();
    let is_test = message["profile"]["test"] == Value::Bool(true);
    let list = if is_test { &mut built.tests } else { &mut built.programs };
    list.push((name, PathBuf::from(executable)));
}

/// `serde 1.0.228` from `registry+https://…#serde@1.0.228`; a path stays as it is.
fn package_of(id: &str) -> String {
    match id.strip_prefix("registry+").and_then(|id| id.split_once('#')) {
        Some((_, package)) => package.replace('@', " "),
        None => id.to_owned(),
    }
}

/// Whether a package of [`Built::compiled`] comes from a registry.
pub fn is_from_registry(package: &str) -> bool {
    !package.starts_with("path+")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_that_is_not_fresh_was_compiled() {
        let built = read_messages(concat!(
            r#"{"reason":"compiler-artifact","package_id":"registry+https://x#serde@1.0.2","fresh":true}"#,
            "\n",
            r#"{"reason":"compiler-artifact","package_id":"registry+https://x#tokio@1.9.0","fresh":false}"#,
            "\n",
            r#"{"reason":"compiler-artifact","package_id":"path+file:///r/crates/rig#0.1.0","fresh":false}"#,
        ));
        let compiled: Vec<_> = built.compiled.iter().collect();
        assert_eq!(compiled, ["path+file:///r/crates/rig#0.1.0", "tokio 1.9.0"]);
        assert!(is_from_registry("tokio 1.9.0"));
        assert!(!is_from_registry("path+file:///r/crates/rig#0.1.0"));
    }

    #[test]
    fn both_streams_come_in_the_order_of_writing() {
        let mut shell = Command::new("sh");
        let run = run(shell.args(["-c", "echo one; echo two >&2; echo three; exit 3"])).unwrap();
        assert_eq!(run.output, "one\ntwo\nthree\n");
        assert_eq!(run.status.code(), Some(3));
    }

    #[test]
    fn a_program_that_hangs_is_killed() {
        let run = run_within(Command::new("sleep").arg("600"), Duration::ZERO).unwrap();
        assert_eq!(run.output, "killed: it did not end within 0 s\n");
        assert!(!run.status.success());
    }

    #[test]
    fn streams_apart_do_not_mix() {
        let mut shell = Command::new("sh");
        let run = run_apart(shell.args(["-c", "printf 'o'; printf 'rig\\n' >&2; echo k"])).unwrap();
        assert_eq!(run.output, "ok\nrig\n");
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = run(&mut Command::new("no-such-program")).unwrap_err();
        assert!(error.0.starts_with("cannot start `no-such-program`: "), "{error}");
    }
}
