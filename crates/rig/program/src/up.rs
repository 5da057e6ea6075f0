//! `rig up`: servers that are up, whoever asked first.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use rig::RigError;
use rig::cluster::{Cluster, Provider as Kind};
use rig::control::{Control, ControlError};
use rig::external;
use rig::place::Place;
use rig::say::say;

use crate::containers;
use crate::docker;
use crate::down;
use crate::failure::Failure;
use crate::folder;
use crate::keeper::COMMAND;
use crate::local;
use crate::lock::{self, Lock};
use crate::orphans;
use crate::users;
use rig::patience::patience;
use rig::slow::say_when_slow;

/// How long a keeper that somebody else has started may take until its servers answer: it may pull
/// images over a slow network.
const KEEPER_TIMEOUT: Duration = Duration::from_secs(600);

/// Behind the standard input, output and error.
const FIRST_UNNAMED_FILE: i32 = 3;

/// What [`up`] has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// The servers were up.
    Warm,
    /// They were not, and now they are.
    Started,
}

/// Has servers started unless they are up; only one start at a time in one place.
///
/// # Errors
/// When no provider can serve.
pub fn up(place: &Place) -> Result<Found, Failure> {
    users::idle_timeout()?;
    let _lock = folder::lock_start(place)?;
    if is_up(place)? || earlier_keeper_serves(place)? {
        return Ok(Found::Warm);
    }
    let (kinds, mut passed_over) = candidates()?;
    let mut failures = Vec::new();
    for kind in kinds {
        match start(place, kind, None, passed_over.take()) {
            Ok(()) => return Ok(Found::Started),
            Err(failure) => {
                failures.push(failure.to_string());
                passed_over = Some(failure);
            }
        }
    }
    Err(Failure(failures.join("; and ")))
}

/// Starts servers of one test's own, once no other test of this clone has such servers.
///
/// # Errors
/// When they cannot be started.
pub fn private(place: &Place) -> Result<(), Failure> {
    let turn = folder::lock_turn(&Place::of_this_clone())?;
    let _lock = folder::lock_start(place)?;
    start(place, Kind::Local, Some(turn), None)
}

/// Whether a keeper answers in this place, its servers answer, and they come from where
/// `TIDEMARK_RIG` says.
///
/// # Errors
/// When a keeper is there and does not answer, or `TIDEMARK_RIG` has a value that it cannot have.
pub fn is_up(place: &Place) -> Result<bool, Failure> {
    let Some(cluster) = Cluster::read(place) else { return Ok(false) };
    let is_wanted = external::forced()?.is_none_or(|forced| forced == cluster.provider);
    // In this order: a keeper that is ending its servers wakes them to stop them, and lets nobody in
    // any more.
    if !is_wanted || !cluster.answers() {
        return Ok(false);
    }
    match Control::connect(&cluster) {
        Ok(_) => Ok(true),
        Err(error @ ControlError::Silent) => Err(RigError::from(error).into()),
        Err(_) => Ok(false),
    }
}

/// Ends a keeper whose servers do not answer any more, or are not the ones that are asked for: it
/// is of no use, and in the way of a new one. Waits for one that somebody has begun to start who
/// was then killed: it goes on by itself. Whether there was such a one, and its servers are up.
///
/// # Errors
/// When a keeper neither serves nor ends.
fn earlier_keeper_serves(place: &Place) -> Result<bool, Failure> {
    down::ask_keeper(place)?;
    let whom = "the keeper that starts the servers";
    lock::wait(&place.keeper_lock(), whom, patience(KEEPER_TIMEOUT)?, || {
        if !folder::is_kept(place)? {
            return Ok(Some(false));
        }
        Ok(is_up(place)?.then_some(true))
    })
}

/// The providers to try in order, and why the first of all is not among them.
fn candidates() -> Result<(Vec<Kind>, Option<Failure>), Failure> {
    match external::forced()? {
        Some(Kind::Local) => Ok((vec![Kind::Local], None)),
        Some(Kind::Containers) => docker::required().map(|()| (vec![Kind::Containers], None)),
        None => Ok(match docker::ping() {
            Ok(()) => (vec![Kind::Containers, Kind::Local], None),
            Err(why_not) => (vec![Kind::Local], Some(why_not)),
        }),
        Some(Kind::External) => Err(Failure::new(
            "TIDEMARK_RIG is external, so nothing is started; \
             set KAFKA_BOOTSTRAP_SERVERS and DATABASE_URL",
        )),
    }
}

/// Starts a keeper and follows its report until the servers are up. The `turn` of a private rig is
/// the keeper's to hold.
fn start(
    place: &Place,
    kind: Kind,
    turn: Option<Lock>,
    passed_over: Option<Failure>,
) -> Result<(), Failure> {
    // Here, and not in the keeper, whose words go to a log: this may take a while.
    match kind {
        Kind::Local if turn.is_some() => {
            // What is fetched is shared, and so is the lock.
            let _lock = folder::lock_start(&Place::of_this_clone())?;
            local::fetch()?;
        }
        Kind::Local => {
            local::fetch()?;
        }
        Kind::Containers => containers::build()?,
        Kind::External => {}
    }
    let mut line = Line::new(passed_over, turn.is_some());
    let report = start_keeper(place, kind, turn)?;
    let mut report = BufReader::new(report).lines().map_while(Result::ok).peekable();
    say_when_slow("waiting for what an earlier start has left", || report.peek().is_some());
    for said in report {
        match said.split_once(' ') {
            Some(("progress", progress)) => line.progress(progress),
            Some(("failed", failure)) => {
                line.end();
                return Err(Failure::new(failure));
            }
            _ => {
                line.ready(place);
                return Ok(());
            }
        }
    }
    line.end();
    Err(Failure(format!("the keeper was ended; {} says why", place.keeper_log().display())))
}

/// Starts a keeper that shares nothing with this process but the pipe that is returned, and the
/// turn of a private rig, which is its standard input and so held for as long as it lives.
fn start_keeper(
    place: &Place,
    kind: Kind,
    turn: Option<Lock>,
) -> Result<std::process::ChildStdout, Failure> {
    let program = std::env::current_exe()
        .map_err(|error| Failure(format!("cannot find the rig's own program: {error}")))?;
    let log_path = place.keeper_log();
    let log = File::create(&log_path).map_err(Failure::of_file("write", &log_path))?;
    let mut command = Command::new(program);
    command.arg(COMMAND).arg(kind.to_string()).arg(place.folder());
    command.env(orphans::MARK, place.folder());
    let failed = |error| Failure(format!("cannot start the keeper: {error}"));
    let input = match &turn {
        Some(turn) => {
            command.arg("--private");
            turn.as_input().map_err(failed)?
        }
        None => Stdio::null(),
    };
    // Files that the caller's caller left open, a lock of `flock` for example, would stay open for
    // as long as the servers are kept.
    close_fds::set_fds_cloexec(FIRST_UNNAMED_FILE, &[]);
    let child = command
        .current_dir("/")
        .stdin(input)
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .map_err(failed)?;
    if let Some(turn) = turn {
        turn.write_holder(child.id());
    }
    Ok(child.stdout.expect("the output is piped"))
}

/// What the person who waits reads: at most two lines.
struct Line {
    passed_over: Option<Failure>,
    quiet: bool,
    waiting: bool,
}

impl Line {
    fn new(passed_over: Option<Failure>, quiet: bool) -> Line {
        Line { passed_over, quiet, waiting: false }
    }

    /// The first progress says what is taken and why; the second is appended while one waits.
    fn progress(&mut self, progress: &str) {
        if self.quiet {
            return;
        }
        if self.waiting {
            self.print(&format!(" {progress}"));
            return;
        }
        let why = self.passed_over.take().map_or(String::new(), |why| format!("{why}; "));
        say(&format!("rig: {why}{progress}"));
        self.print("rig: starting them …");
        self.waiting = true;
    }

    fn ready(&mut self, place: &Place) {
        let Some(cluster) = Cluster::read(place) else { return self.end() };
        if !self.quiet {
            self.print(&format!(
                ", ready at {}, {}; kept warm, `make down` ends them\n",
                cluster.bootstrap(),
                cluster.database_address()
            ));
        }
    }

    fn end(&mut self) {
        if self.waiting {
            self.print("\n");
        }
        self.waiting = false;
    }

    /// Part of a line, at once.
    fn print(&self, text: &str) {
        let mut errors = std::io::stderr();
        let _ = write!(errors, "{text}");
        let _ = errors.flush();
    }
}
