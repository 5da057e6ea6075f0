//! `checks secrets`: no password or key is in what is not committed yet, nor in any commit that
//! HEAD reaches.
//!
//! Kingfisher looks, with its own rules and those in `secrets.yml`. It is told to ask nobody: left to
//! itself it would try what it finds with those who issued it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::cargo;
use crate::outcome::{NotRun, Outcome, Tally, plural};
use crate::repo::Repo;

/// What this project's own settings hold, as rules for Kingfisher.
const RULES: &str = include_str!("../secrets.yml");

/// Kingfisher's exit code where it has found something.
const FOUND: i32 = 200;

/// What looks like a secret and is none. History keeps it, so it can't be mended there.
const ALLOWED: [Allowed; 6] = [
    Allowed { value: "password", why: "stands for a password in examples of addresses" },
    Allowed {
        value: "secret",
        why: "the password of servers that are not there, in the rig's tests",
    },
    Allowed {
        value: "word",
        why: "the password of a made-up address, in the tests of the rig's tools",
    },
    Allowed { value: "pw", why: "the password of a made-up address, in the testkit's tests" },
    Allowed { value: "PASSWORD", why: "a constant's name, in the tests of the rig's settings" },
    Allowed { value: "sasl.password", why: "the setting's name, behind that of its variable" },
];

struct Allowed {
    value: &'static str,
    why: &'static str,
}

/// What Kingfisher writes, as far as it is read here.
#[derive(Deserialize)]
struct Report {
    findings: Vec<Found>,
    audit: Audit,
}

#[derive(Deserialize)]
struct Found {
    rule: Rule,
    finding: Finding,
}

#[derive(Deserialize)]
struct Rule {
    description: String,
}

#[derive(Deserialize)]
struct Finding {
    snippet: String,
    path: PathBuf,
    line: u64,
    git_metadata: Option<Git>,
}

#[derive(Deserialize)]
struct Git {
    commit: Commit,
}

#[derive(Deserialize)]
struct Commit {
    id: String,
}

#[derive(Deserialize)]
struct Audit {
    repositories: Vec<Scanned>,
}

#[derive(Deserialize)]
struct Scanned {
    scan: Scan,
    git: Option<History>,
}

#[derive(Deserialize)]
struct Scan {
    status: String,
}

#[derive(Deserialize)]
struct History {
    fetched_commit_count: usize,
}

/// Looks through the files that are not committed yet, but for those that git ignores, and through
/// all commits that HEAD reaches.
///
/// # Errors
/// When git or Kingfisher is missing or fails, or Kingfisher has not seen every commit.
pub fn run(repo: &Repo) -> Result<Outcome, NotRun> {
    if !repo.root.join(".git").exists() {
        return Ok(Outcome::left_out("no git repository here"));
    }
    let temp = tempfile::tempdir()?;
    let history = temp.path().join("history.git");
    // Kingfisher does not find the history of a second work tree, but that of a clone of it.
    let clone = ["clone", "--quiet", "--bare", "--shared", "--single-branch", "--no-tags", "."];
    git(&repo.root, &[&clone[..], &[path(&history)?]].concat())?;
    let files = temp.path().join("files");
    let copied = copy_what_is_not_committed(&repo.root, &files)?;
    let commits: usize = git(&history, &["rev-list", "--count", "HEAD"])?
        .trim()
        .parse()
        .map_err(|_| "git counts no commits")?;

    let mut found = look(repo, temp.path(), &history, Some(commits))?;
    if copied > 0 {
        found.extend(look(repo, temp.path(), &files, None)?);
    }
    let mut tally = Tally::default();
    for found in found {
        tally.count(judged(&found, &files));
    }
    tally.passed += (commits + copied) as u64;
    let scope = format!("{}, {} not committed", plural(commits, "commit"), plural(copied, "file"));
    let is_shallow = git(&repo.root, &["rev-parse", "--is-shallow-repository"])?.trim() == "true";
    let reach = if is_shallow { "; a shallow clone: older commits are not here" } else { "" };
    Ok(tally.outcome(scope, format!("no password or key{reach}")))
}

/// A finding passes where its value is allowed. No other value is shown.
fn judged(found: &Found, files: &Path) -> Result<(), String> {
    let Finding { snippet, path, line, git_metadata } = &found.finding;
    let place = path.strip_prefix(files).unwrap_or(path).display();
    if let Some(Allowed { value, why }) = ALLOWED.iter().find(|allowed| allowed.value == snippet) {
        println!("{place}:{line}: `{value}` is none: {why}");
        return Ok(());
    }
    let description = found.rule.description.trim_end_matches('.');
    Err(match git_metadata {
        None => format!(
            "{place}:{line}: {description}. Take it out before you commit; if it was pushed or \
             shown anywhere, have a new one made and this one withdrawn"
        ),
        Some(Git { commit }) => format!(
            "{place}:{line} in commit {:.12}: {description}. Have a new one made and this one \
             withdrawn, whether or not the commit is taken back; if it is no secret, say so in \
             crates/checks/src/secrets.rs",
            commit.id
        ),
    })
}

/// Kingfisher's findings in a folder; in that of a history all of its commits must have been seen.
fn look(
    repo: &Repo,
    temp: &Path,
    folder: &Path,
    commits: Option<usize>,
) -> Result<Vec<Found>, NotRun> {
    let rules = temp.join("rules.yml");
    std::fs::write(&rules, RULES)?;
    let mut command = Command::new(kingfisher(&repo.root));
    cargo::learners_environment(&mut command);
    command.args(["scan", "--no-validate", "--no-update-check", "--no-ignore", "--quiet"]);
    command.args(["--confidence", "low", "--format", "json", "--rules-path"]);
    command.arg(&rules).arg("--rule-cache-dir").arg(repo.target.join("kingfisher")).arg(folder);
    if commits.is_some() {
        command.args(["--branch", "HEAD"]);
    }
    let output = command.output().map_err(|error| {
        format!("cannot start kingfisher: {error}; `make setup` installs it, or says why it can't")
    })?;
    if !matches!(output.status.code(), Some(0 | FOUND)) {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("kingfisher failed: {}: {}", output.status, said.trim()).into());
    }
    let report = read(&output.stdout)?;
    let [scanned] = &report.audit.repositories[..] else {
        return Err("kingfisher speaks of more than one folder, or of none".into());
    };
    let seen = scanned.git.as_ref().map(|history| history.fetched_commit_count);
    if scanned.scan.status != "completed" || seen != commits {
        return Err(format!(
            "kingfisher has seen {seen:?} commits, expected {commits:?}; it ended as `{}`",
            scanned.scan.status
        )
        .into());
    }
    Ok(report.findings)
}

/// The report is the first of the values that Kingfisher writes.
fn read(written: &[u8]) -> Result<Report, NotRun> {
    let mut reports = serde_json::Deserializer::from_slice(written).into_iter();
    let unreadable = |why: &str| format!("kingfisher's report cannot be read: {why}");
    match reports.next() {
        Some(report) => report.map_err(|error| unreadable(&error.to_string()).into()),
        None => Err(unreadable("it is empty").into()),
    }
}

/// The Kingfisher that `make setup` installed, else the one on the path.
fn kingfisher(root: &Path) -> PathBuf {
    let own = root.join(".venv/bin/kingfisher");
    if own.is_file() { own } else { PathBuf::from("kingfisher") }
}

/// Copies changed and new files, so that Kingfisher sees neither `target` nor the `.env` that git
/// ignores. Returns how many there are.
fn copy_what_is_not_committed(root: &Path, into: &Path) -> Result<usize, NotRun> {
    let changed = git(root, &["diff", "-z", "--name-only", "--diff-filter=d", "HEAD"])?;
    let new = git(root, &["ls-files", "-z", "--others", "--exclude-standard"])?;
    std::fs::create_dir_all(into)?;
    let mut copied = 0;
    for name in changed.split('\0').chain(new.split('\0')).filter(|name| !name.is_empty()) {
        // A link's target is looked at where it lies.
        if !root.join(name).symlink_metadata()?.is_file() {
            continue;
        }
        let copy = into.join(name);
        std::fs::create_dir_all(copy.parent().unwrap_or(into))?;
        std::fs::copy(root.join(name), copy)?;
        copied += 1;
    }
    Ok(copied)
}

fn git(folder: &Path, arguments: &[&str]) -> Result<String, NotRun> {
    let output = Command::new("git")
        .current_dir(folder)
        .args(arguments)
        // Else what it says may be in another language.
        .env("LC_ALL", "C")
        .output()
        .map_err(|error| format!("cannot start git: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(why_git_failed(folder, arguments[0], said.trim()).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What git said, but for its refusal of another user's folder, which is long.
fn why_git_failed(folder: &Path, command: &str, said: &str) -> String {
    if said.contains("dubious ownership") {
        let folder = folder.display();
        return format!(
            "git reads no history that belongs to another user, as it does at {folder}; if you \
             trust it: git config --global --add safe.directory {folder}"
        );
    }
    format!("git {command}: {said}")
}

fn path(path: &Path) -> Result<&str, NotRun> {
    path.to_str().ok_or_else(|| "the temporary folder's name is no text".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_that_is_allowed_is_short_of_a_secret_and_says_why() {
        for Allowed { value, why } in &ALLOWED {
            let is_a_word = value.chars().all(|c| c.is_ascii_alphabetic() || c == '.');
            assert!(is_a_word && value.len() <= 13, "{value} could be a secret");
            assert!(why.len() > 20, "{value}: why is it none?");
        }
    }

    #[test]
    fn a_report_that_says_nothing_is_no_clean_one() {
        assert!(read(b"").is_err());
        assert!(read(b"{}").is_err());
        let found = read(b"{\"findings\":[],\"audit\":{\"repositories\":[]}}\n{\"findings\":0}");
        assert!(found.is_ok_and(|report| report.findings.is_empty()));
    }
}
