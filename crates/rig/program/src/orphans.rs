//! Servers that a keeper left behind when it was killed.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sysinfo::{Pid, Process, ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};

use crate::failure::Failure;
use crate::memory;
use crate::slow::say_when_slow;

/// The beginnings of the names under which fetched software lies in a rig's folder.
const SOFTWARE: [&str; 2] = ["/kafka-jars-", "/postgres-programs-"];

/// How long killed processes may take to be gone.
const GONE_TIMEOUT: Duration = Duration::from_secs(10);

/// The program that keeps containers. It has seen its keeper go and stops them; were it killed,
/// the engine would go on stopping them after the next start has found them.
const CONTAINERS: &str = "rig-containers";

/// How long that program may take until it is killed all the same.
const CONTAINERS_TIMEOUT: Duration = Duration::from_secs(25);

/// Ends the processes that belong to a folder: Java and PostgreSQL at work in it, and keepers of
/// it, are killed; the containers' program is waited for. Returns how many there were, once they
/// are gone, and their shared memory with them.
///
/// A process belongs to the folder when one of its arguments lies in it, or when it works in it.
/// The software there is used by private rigs and by Kafka's tools as well, so it does not count.
/// A mere reader of its logs is no server, and is left alone.
///
/// # Errors
/// When one of them does not go away.
pub fn end(folder: &Path) -> Result<usize, Failure> {
    say_when_slow("ending what an earlier start has left", || end_all(folder))
}

fn end_all(folder: &Path) -> Result<usize, Failure> {
    let began = Instant::now();
    let until = began + CONTAINERS_TIMEOUT + GONE_TIMEOUT;
    let mut ended = std::collections::HashSet::new();
    let mut shared = Vec::new();
    loop {
        let left = kill_all(folder, &mut shared, began.elapsed() >= CONTAINERS_TIMEOUT)?;
        if left.is_empty() {
            memory::free(folder, &shared);
            return Ok(ended.len());
        }
        ended.extend(left.iter().copied());
        if Instant::now() >= until {
            return Err(Failure(format!(
                "processes {left:?} of an earlier start do not end; end them by hand"
            )));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Kills what is there, the containers' program only if asked to. `shared` gains the files of shared
/// memory that those processes had.
fn kill_all(
    folder: &Path,
    shared: &mut Vec<PathBuf>,
    containers_too: bool,
) -> Result<Vec<Pid>, Failure> {
    let mut system = System::new()
        .map_err(|error| Failure(format!("cannot list the machine's processes: {error}")))?;
    let what = ProcessRefreshKind::nothing()
        .with_cmd(UpdateKind::Always)
        .with_cwd(UpdateKind::Always)
        .with_exe(UpdateKind::Always);
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, what);
    let me = Pid::from_u32(std::process::id());
    let mut left = Vec::new();
    for (pid, process) in system.processes() {
        if *pid != me && is_server(process) && belongs_to(process, folder) {
            shared.extend(memory::files_of(pid.as_u32()));
            if containers_too || process.name() != CONTAINERS {
                process.kill();
            }
            left.push(*pid);
        }
    }
    Ok(left)
}

fn is_server(process: &Process) -> bool {
    // A zombie has ended; only its parent can take it away.
    let ended = matches!(process.status(), sysinfo::ProcessStatus::Zombie);
    let is_thread = process.thread_kind().is_some();
    let name = process.name().to_string_lossy();
    let keeps = process.cmd().iter().any(|argument| argument == crate::keeper::COMMAND);
    !ended
        && !is_thread
        && (["java", "postgres", "initdb", CONTAINERS].contains(&name.as_ref())
            || name == "rig" && keeps)
}

fn belongs_to(process: &Process, folder: &Path) -> bool {
    let within = format!("{}/", folder.display());
    let names_folder = |argument: &std::ffi::OsString| {
        let argument = argument.to_string_lossy();
        let is_software = SOFTWARE.iter().any(|name| argument.contains(name));
        !is_software && (argument.contains(&within) || Path::new(argument.as_ref()) == folder)
    };
    process.cwd().is_some_and(|cwd| cwd.starts_with(folder))
        || process.cmd().iter().any(names_folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_of_the_logs_is_left_alone() {
        let temp = tempfile::tempdir().unwrap();
        let log = temp.path().join("kafka.log");
        std::fs::write(&log, "").unwrap();
        let mut reader = std::process::Command::new("tail").arg("-f").arg(&log).spawn().unwrap();
        assert_eq!(end(temp.path()), Ok(0));
        assert!(matches!(reader.try_wait(), Ok(None)), "the reader was killed");
        reader.kill().unwrap();
        reader.wait().unwrap();
    }
}
