//! A server's process: started apart from the terminal, ended in good order or at once.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::failure::Failure;

/// How long a server may take to end in good order before it is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);

/// How much of a line of a server's log is quoted.
const MOST_CHARACTERS: usize = 200;

/// A server that was started.
#[derive(Debug)]
pub struct Server {
    name: &'static str,
    child: Child,
    stop_signal: Signal,
    log: PathBuf,
}

impl Server {
    /// Starts a server whose output goes to a log that is begun anew.
    ///
    /// # Errors
    /// When its program or its log cannot be used.
    pub fn start(
        name: &'static str,
        mut command: Command,
        stop_signal: Signal,
        log: &Path,
    ) -> Result<Server, Failure> {
        let output = File::create(log).map_err(Failure::of_file("write", log))?;
        let errors = output.try_clone().map_err(Failure::of_file("write", log))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .process_group(0)
            .spawn()
            .map_err(|error| Failure(format!("cannot start {name}: {error}")))?;
        Ok(Server { name, child, stop_signal, log: log.to_owned() })
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits until `ready` says so.
    ///
    /// # Errors
    /// With the log's last words when the server ends instead, or takes longer than `patience`. At once
    /// when what starts beside it has failed: one without the other is of no use.
    pub fn wait_until(
        &mut self,
        patience: Duration,
        failed_beside: &OnceLock<Failure>,
        mut ready: impl FnMut() -> bool,
    ) -> Result<(), Failure> {
        let until = Instant::now() + patience;
        loop {
            if !self.runs() {
                return Err(self.failed("ended at its start"));
            }
            if ready() {
                return Ok(());
            }
            if failed_beside.get().is_some() {
                return Err(Failure(format!("{} is not wanted any more", self.name)));
            }
            if Instant::now() >= until {
                return Err(self.failed(&format!("was not ready after {} s", patience.as_secs())));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn failed(&self, how: &str) -> Failure {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let telling = |line: &&str| {
            ["ERROR", "FATAL", "Error", "Exception"].iter().any(|word| line.contains(word))
        };
        let reason = log.lines().rfind(telling).or(log.lines().last()).unwrap_or("it said nothing");
        let reason = shortened(reason);
        let all = self.log.display();
        Failure(format!("{} {how}: {reason} (all of it: {all})", self.name)).with_fix()
    }

    /// Ends the server in good order, or kills it when it takes too long.
    pub fn stop(mut self) {
        self.signal(self.stop_signal);
        let until = Instant::now() + STOP_TIMEOUT;
        while self.runs() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Kills the server as `kill -9` would.
    pub fn kill(self) {
        drop(self);
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).expect("a pid fits in an i32"));
        // A process that is gone needs no signal.
        let _ = kill(pid, signal);
    }
}

/// Enough of a line to see what went wrong; Java's may have thousands of characters.
fn shortened(line: &str) -> String {
    let mut short: String = line.chars().take(MOST_CHARACTERS).collect();
    if short.len() < line.len() {
        short.push('…');
    }
    short
}

/// A server that nobody holds any more is killed, so that a start that fails leaves none behind.
impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only for a process that is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
