//! What `make test` checks beside the tests themselves.
//!
//! | module | checks |
//! |---|---|
//! | [`lints`] | format, clippy, build and doc are silent; clippy is for what needs TLS |
//! | [`solutions`] | every solution and every crate passes its tests |
//! | [`engine`] | the tests that need a Docker engine pass |
//! | [`compose`] | docker-compose.yml serves the labs' tests, keeps its data, leaves nothing |
//! | [`untouched`] | an untouched lab fails at its own `todo!` and says what to do next |
//! | [`wrong`] | every wrong answer is caught by its named test, with the reviewed message |
//! | [`skeletons`] | skeleton and solution differ in the holes alone |
//! | [`secrets`] | no password or key is in the tree or its history |
//! | [`book`] | the book builds, and what it names exists |
//! | [`rebuild`] | after all this, no dependency is compiled again |
//! | [`demo`] | `make demo` prints its board |
//! | [`all`], [`table`] | all of them, and the table at the end |
//! | [`at_once`] | two pieces of work at once |

mod all;
mod at_once;
mod book;
mod cargo;
mod compose;
mod demo;
mod engine;
mod libtest;
mod lints;
mod outcome;
mod rebuild;
mod repo;
mod secrets;
mod skeletons;
mod solutions;
mod syntax;
mod table;
mod untouched;
mod wrong;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use clap::{Parser, Subcommand};

use outcome::{NotRun, Outcome};
use repo::Repo;

/// Checks the workbook: labs, solutions, wrong answers, book.
///
/// `make test` runs `checks all`. Each check can be run alone, from anywhere in the repository:
/// `cargo run -q -p checks -- skeletons`.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    /// The repository; without it, the nearest folder upwards that has `Cargo.toml` and `labs`
    #[arg(long, global = true, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Where to write the outcome as JSON
    #[arg(long, global = true, hide = true, value_name = "FILE")]
    outcome: Option<PathBuf>,
    #[command(subcommand)]
    check: Check,
}

#[derive(Debug, Subcommand)]
enum Check {
    /// Runs every check and ends with a table; exit code 1 when anything is not green
    ///
    /// What a check prints is shown when it fails, and kept in `target/checks/<check>.log`.
    All {
        /// Show what this check prints even when it is green; may be given more than once
        #[arg(long, value_name = "CHECK", value_parser = all::stage_names())]
        show: Vec<String>,
        /// Show what every check prints
        #[arg(short, long)]
        verbose: bool,
        /// Where the servers come from, `local` or `containers`; given twice, the labs' tests run
        /// with the one and then with the other
        #[arg(long, value_name = "PROVIDER", value_parser = ["local", "containers"])]
        provider: Vec<String>,
    },
    /// Format, clippy, build, tests and docs of the whole workspace without a warning
    Lints,
    /// Clippy for what needs TLS without a warning; where OpenSSL's headers are missing, it is left out
    Tls,
    /// The labs' tests on the reference answers, with real Kafka and PostgreSQL
    Solutions,
    /// The tests of everything else: rig, flights, checks
    Crates,
    /// The tests that need a Docker engine; where none answers, they are left out
    Containers,
    /// docker-compose.yml, in both forms of compose: its settings, and the labs' tests on its servers
    Compose,
    /// Untouched labs fail at the `todo!` of each test's own step, and say what to do next
    Untouched {
        /// The labs to check; all of them when none is named
        labs: Vec<String>,
    },
    /// Every wrong answer is caught by the test that it names, and the message is the reviewed one
    ///
    /// A wrong answer is a file `tests/lab01/wrong/<slug>.rs`: a head of `//! title: …`,
    /// `//! file: …` and `//! caught by: …`, a few words on why people write it, and the functions
    /// that it replaces. All wrong answers of a lab are built at once, below `target/wrong`.
    Wrong {
        /// The lab; all of them when none is named
        lab: Option<String>,
        /// The wrong answer: its file's name without `.rs`
        slug: Option<String>,
        /// Take the messages as they now are for the reviewed ones
        #[arg(long)]
        accept: bool,
    },
    /// Skeleton and solution differ only inside the holes: functions that call `todo!`
    Skeletons {
        /// The labs to check; all of them when none is named
        labs: Vec<String>,
    },
    /// No password or key in files that are not committed, nor in any commit that HEAD reaches
    ///
    /// Files that git ignores, `.env` for example, are left out. Nothing that is found is shown.
    Secrets,
    /// The book builds; its links, includes, paths and commands resolve
    Book,
    /// `cargo test -p labNN --no-run` compiles nothing; run it after the others
    NoRebuild,
    /// `make demo`, from the files through a broker and the database to the board
    Demo,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Check::Wrong { accept: true, .. } = cli.check
        && std::env::var_os("INSTA_UPDATE").is_none()
    {
        return again_accepting();
    }
    match run(&cli) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(reason) => {
            eprintln!("checks: {reason}");
            ExitCode::from(2)
        }
    }
}

/// Insta takes its orders from the environment, which a program cannot change safely for itself.
fn again_accepting() -> ExitCode {
    let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("checks"));
    let mut again = Command::new(program);
    again.args(std::env::args_os().skip(1)).env("INSTA_UPDATE", "always");
    match again.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("checks: {error}");
            ExitCode::from(2)
        }
    }
}

/// Returns whether everything is green.
fn run(cli: &Cli) -> Result<bool, NotRun> {
    let repo = Repo::find(cli.root.as_deref())?;
    if let Check::All { show, verbose, provider } = &cli.check {
        let every: Vec<String> = all::stage_names().into_iter().map(str::to_owned).collect();
        return all::run(&repo, if *verbose { &every } else { show }, provider);
    }
    let outcome = check(&repo, &cli.check)
        .unwrap_or_else(|NotRun(reason)| Outcome { not_run: Some(reason), ..Outcome::default() });
    match &cli.outcome {
        Some(path) => all::write_outcome(path, &outcome)?,
        None => println!("{}: {}", outcome.scope, outcome.verdict_line()),
    }
    Ok(outcome.is_green())
}

fn check(repo: &Repo, check: &Check) -> Result<Outcome, NotRun> {
    match check {
        Check::All { .. } => Err("`all` is no single check".into()),
        Check::Lints => lints::run(repo),
        Check::Tls => lints::run_tls(repo),
        Check::Solutions => solutions::run(repo),
        Check::Crates => solutions::run_crates(repo),
        Check::Containers => engine::run(repo),
        Check::Compose => compose::run(repo),
        Check::Untouched { labs } => untouched::run(repo, labs),
        Check::Wrong { lab, slug, .. } => wrong::run(repo, lab.as_deref(), slug.as_deref()),
        Check::Skeletons { labs } => skeletons::run(repo, labs),
        Check::Secrets => secrets::run(repo),
        Check::Book => book::run(repo),
        Check::NoRebuild => rebuild::run(repo),
        Check::Demo => demo::run(repo),
    }
}
