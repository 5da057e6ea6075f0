//! Lock files: held by one process at a time, and free again when it ends, however it ends.
//!
//! The holder writes its number into the file, so that whoever waits can be told for whom.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rig::say::say;

use crate::failure::Failure;

/// After this time, a wait is no longer silent.
const SAY_AFTER: Duration = Duration::from_secs(1);

const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A lock that is held for as long as this value, or the process that it was handed to, lives.
#[derive(Debug)]
pub struct Lock(File);

impl Lock {
    /// Takes the lock unless another process has it.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn take(path: &Path) -> io::Result<Option<Lock>> {
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // The folder may have been taken away since the file was opened. Then this is the lock of
        // a file that nobody else will find.
        if !is_same_file(&file, path) {
            return Ok(None);
        }
        let lock = Lock(file);
        lock.write_holder(std::process::id());
        Ok(Some(lock))
    }

    /// The lock as an input of a process that is to hold it on.
    ///
    /// # Errors
    /// When the system has no more files to give.
    pub fn as_input(&self) -> io::Result<Stdio> {
        Ok(self.0.try_clone()?.into())
    }

    /// Names the process that holds the lock from now on.
    pub fn write_holder(&self, process: u32) {
        // It is for people alone: a full disk must not keep anybody from ending the servers.
        let _ = self.0.set_len(0);
        let _ = (&self.0).rewind();
        let _ = write!(&self.0, "{process}");
    }
}

fn is_same_file(file: &File, path: &Path) -> bool {
    let (Ok(held), Ok(there)) = (file.metadata(), fs::metadata(path)) else { return false };
    (held.dev(), held.ino()) == (there.dev(), there.ino())
}

/// Tries until there is an outcome. When that takes longer than a second, says that it waits for
/// `whom`, which holds the lock file `path`.
///
/// # Errors
/// When `attempt` fails, or when there is no outcome within `limit`.
pub fn wait<T>(
    path: &Path,
    whom: &str,
    limit: Duration,
    mut attempt: impl FnMut() -> Result<Option<T>, Failure>,
) -> Result<T, Failure> {
    let began = Instant::now();
    let mut silent = true;
    loop {
        if let Some(outcome) = attempt()? {
            return Ok(outcome);
        }
        let limit_s = limit.as_secs();
        if began.elapsed() >= limit {
            return Err(waited_in_vain(whom, holder(path), limit_s));
        }
        if silent && began.elapsed() >= SAY_AFTER {
            silent = false;
            let process = holder(path).map_or(String::new(), |id| format!(" (process {id})"));
            say(&format!("rig: waiting for {whom}{process}, at most {limit_s} s"));
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

fn waited_in_vain(whom: &str, holder: Option<u32>, limit_s: u64) -> Failure {
    Failure(match holder {
        Some(id) => format!(
            "waited {limit_s} s for {whom} (process {id}); end it with `kill -9 {id}`, \
             then try again"
        ),
        None => format!("waited {limit_s} s for {whom}; try again, or end it by hand"),
    })
}

/// The process that holds the lock, as far as is known.
fn holder(path: &Path) -> Option<u32> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// Whether this holds within a second. A process that another test of this program is starting has all
/// our files, and with them our locks, until it has become its own program.
#[cfg(test)]
pub fn soon(mut holds: impl FnMut() -> bool) -> bool {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(1) {
        if holds() {
            return true;
        }
        std::thread::yield_now();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_held_by_one() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("lock");
        let held = Lock::take(&path).unwrap();
        assert!(held.is_some());
        assert!(Lock::take(&path).unwrap().is_none());
        drop(held);
        assert!(soon(|| Lock::take(&path).unwrap().is_some()));
    }

    #[test]
    fn the_lock_of_a_dead_process_is_taken_at_once() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("lock");
        let lock = Lock::take(&path).unwrap().unwrap();
        let mut command = std::process::Command::new("sleep");
        let mut holder = command.arg("60").stdin(lock.as_input().unwrap()).spawn().unwrap();
        drop((lock, command));
        assert!(Lock::take(&path).unwrap().is_none(), "the lock was not handed on");
        holder.kill().unwrap();
        holder.wait().unwrap();
        assert!(soon(|| Lock::take(&path).unwrap().is_some()));
    }

    #[test]
    fn a_wait_for_a_live_process_ends_at_its_limit_and_names_it() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("lock");
        let _held = Lock::take(&path).unwrap();
        let limit = Duration::from_millis(50);
        let failed = wait(&path, "another start", limit, || Ok::<Option<()>, Failure>(None));
        let id = std::process::id();
        let sentence = format!(
            "waited 0 s for another start (process {id}); end it with `kill -9 {id}`, then try again"
        );
        assert_eq!(failed, Err(Failure(sentence)));
    }

    #[test]
    fn a_file_that_was_replaced_is_not_the_lock() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("lock");
        let file = File::create(&path).unwrap();
        assert!(is_same_file(&file, &path));
        fs::rename(&path, temp.path().join("elsewhere")).unwrap();
        assert!(!is_same_file(&file, &path));
        File::create(&path).unwrap();
        assert!(!is_same_file(&file, &path));
    }
}
