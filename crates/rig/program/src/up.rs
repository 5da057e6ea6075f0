//! `rig up`: servers that are up, whoever asked first.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rig::cluster::{Cluster, Provider as Kind};
use rig::control::Control;
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
use crate::slow::say_when_slow;

/// How long a keeper that somebody else has started may take until its servers answer.
const KEEPER_TIMEOUT: Duration = Duration::from_secs(120);

/// Behind the standard input, output and error.
const FIRST_UNNAMED_FILE: i32 = 3;

/// Has servers started unless they are up; only one start at a time in one place.
///
/// # Errors
/// When no provider can serve.
pub fn up(place: &Place, private: bool) -> Result<(), Failure> {
    let _lock = folder::lock_start(place)?;
    if is_up(place) {
        return Ok(());
    }
    // A keeper whose servers do not answer any more, or are not the ones that are asked for, is of
    // no use, and in the way of a new one.
    down::ask_keeper(place)?;
    if keeper_has_started(place)? {
        return Ok(());
    }
    let (kinds, mut passed_over) = if private { (vec![Kind::Local], None) } else { candidates()? };
    let mut failures = Vec::new();
    for kind in kinds {
        match start(place, kind, private, passed_over.take()) {
            Ok(()) => return Ok(()),
            Err(failure) => {
                failures.push(failure.to_string());
                passed_over = Some(failure);
            }
        }
    }
    Err(Failure(failures.join("; and ")))
}

/// Whether a keeper answers in this place, its servers answer, and they come from where
/// `TIDEMARK_RIG` says.
pub fn is_up(place: &Place) -> bool {
    let Some(cluster) = Cluster::read(place) else { return false };
    let is_wanted =
        external::forced().is_ok_and(|forced| forced.is_none_or(|f| f == cluster.provider));
    // In this order: a keeper that is ending its servers wakes them to stop them, and lets nobody in
    // any more.
    is_wanted && cluster.answers() && Control::connect(&cluster).is_ok()
}

/// Waits for a keeper that somebody else has begun to start, and who was then killed: it goes on
/// by itself. Whether there was one, and its servers are up.
fn keeper_has_started(place: &Place) -> Result<bool, Failure> {
    let until = Instant::now() + KEEPER_TIMEOUT;
    while Instant::now() < until {
        if folder::lock_keeper(place, Duration::ZERO)?.is_some() {
            return Ok(false);
        }
        if is_up(place) {
            return Ok(true);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(false)
}

/// The providers to try in order, and why the first of all is not among them.
fn candidates() -> Result<(Vec<Kind>, Option<Failure>), Failure> {
    match external::forced().map_err(|error| Failure(error.0))? {
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

/// Starts a keeper and follows its report until the servers are up.
fn start(
    place: &Place,
    kind: Kind,
    private: bool,
    passed_over: Option<Failure>,
) -> Result<(), Failure> {
    // Here, and not in the keeper, whose words go to a log: this may take a while.
    match kind {
        Kind::Local if private => {
            // What is fetched is shared, and so is the lock.
            let _lock = folder::lock_start(&Place::of_this_clone())?;
            local::fetch()?;
        }
        Kind::Local => local::fetch()?,
        Kind::Containers => containers::build()?,
        Kind::External => {}
    }
    let mut line = Line::new(passed_over, private);
    let report = start_keeper(place, kind, private)?;
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

/// Starts a keeper that shares nothing with this process but the pipe that is returned.
fn start_keeper(
    place: &Place,
    kind: Kind,
    private: bool,
) -> Result<std::process::ChildStdout, Failure> {
    let program = std::env::current_exe()
        .map_err(|error| Failure(format!("cannot find the rig's own program: {error}")))?;
    let log_path = place.keeper_log();
    let log = File::create(&log_path).map_err(Failure::of_file("write", &log_path))?;
    let mut command = Command::new(program);
    command.arg(COMMAND).arg(kind.to_string()).arg(place.folder());
    if private {
        command.arg("--private");
    }
    // Files that the caller's caller left open, a lock of `flock` for example, would stay open for
    // as long as the servers are kept.
    close_fds::set_fds_cloexec(FIRST_UNNAMED_FILE, &[]);
    let child = command
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .map_err(|error| Failure(format!("cannot start the keeper: {error}")))?;
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
