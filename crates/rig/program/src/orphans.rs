//! What a keeper left behind when it was killed: servers, and programs on the way to become one.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sysinfo::{Pid, Process, ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};

use crate::failure::Failure;
use crate::memory;
use rig::slow::say_when_slow;

/// The variable in which a keeper and all that it starts have the keeper's folder. A process may bear
/// any name at the moment at which its keeper is killed: cargo brings the containers' program up
/// to date before it becomes that program, and `initdb` starts servers by a shell.
pub const MARK: &str = "TIDEMARK_KEPT_IN";

/// The beginnings of the names under which fetched software lies in a rig's folder.
const SOFTWARE: [&str; 2] = ["/kafka-jars-", "/postgres-programs-"];

/// How long killed processes may take to be gone.
const GONE_TIMEOUT: Duration = Duration::from_secs(10);

/// The program that keeps containers. It has seen its keeper go and stops them; were it killed,
/// the engine would go on stopping them after the next start has found them.
const CONTAINERS: &str = "rig-containers";

/// How long that program may take until it is killed all the same.
const CONTAINERS_TIMEOUT: Duration = Duration::from_secs(25);

/// Ends the processes that belong to a folder: its keeper, all that bears the keeper's mark, and Java
/// and PostgreSQL at work in the folder are killed; the containers' program is waited for. Returns
/// how many there were, once they are gone, and their shared memory with them.
///
/// PostgreSQL writes its titles over the mark. So a server belongs to the folder also when one of
/// its arguments lies in it, or when it works in it. The software there is used by private rigs
/// and by Kafka's tools as well, so it does not count. A mere reader of its logs is no server, and
/// is left alone.
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
        .with_environ(UpdateKind::Always)
        .with_exe(UpdateKind::Always);
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, what);
    let me = Pid::from_u32(std::process::id());
    let mut left = Vec::new();
    for (pid, process) in system.processes() {
        let is_server_here = || is_server(process) && belongs_to(process, folder);
        if *pid != me && runs(process) && (is_marked(process, folder) || is_server_here()) {
            shared.extend(memory::files_of(pid.as_u32()));
            if containers_too || !is_containers(process) {
                process.kill();
            }
            left.push(*pid);
        }
    }
    Ok(left)
}

/// Whether it is a process that has not ended. A zombie has: only its parent can take it away.
fn runs(process: &Process) -> bool {
    let is_zombie = matches!(process.status(), sysinfo::ProcessStatus::Zombie);
    !is_zombie && process.thread_kind().is_none()
}

fn is_marked(process: &Process, folder: &Path) -> bool {
    let mut mark = OsString::from(format!("{MARK}="));
    mark.push(folder);
    process.environ().contains(&mark)
}

fn is_server(process: &Process) -> bool {
    let name = process.name().to_string_lossy();
    let keeps = process.cmd().iter().any(|argument| argument == crate::keeper::COMMAND);
    ["java", "postgres", "initdb", CONTAINERS].contains(&name.as_ref()) || name == "rig" && keeps
}

/// The containers' program, or the cargo that is about to become it.
fn is_containers(process: &Process) -> bool {
    process.name() == CONTAINERS || process.cmd().iter().any(|argument| argument == CONTAINERS)
}

fn belongs_to(process: &Process, folder: &Path) -> bool {
    let within = format!("{}/", folder.display());
    let names_folder = |argument: &OsString| {
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
    fn what_bears_the_mark_is_ended_whatever_its_name() {
        let temp = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        let sleeper = |folder: &Path| {
            let mut sleep = std::process::Command::new("sleep");
            sleep.arg("60").env(MARK, folder).spawn().unwrap()
        };
        let (mut ours, mut theirs) = (sleeper(temp.path()), sleeper(other.path()));
        let ended = std::thread::scope(|scope| {
            // A zombie until somebody takes it away.
            scope.spawn(|| ours.wait().unwrap());
            end(temp.path())
        });
        assert_eq!(ended, Ok(1));
        assert!(matches!(theirs.try_wait(), Ok(None)), "another rig's process was ended");
        theirs.kill().unwrap();
        theirs.wait().unwrap();
    }

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
