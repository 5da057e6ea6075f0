//! Shared memory that a killed PostgreSQL left behind.
//!
//! PostgreSQL keeps one small piece of System V memory for as long as it runs, so that a second
//! server in the same folder notices the first. The system frees it only when told to. A server
//! that starts again in the folder does that; where the folder goes, nobody would. And while
//! `initdb` runs, there are files in `/dev/shm`; later servers are told to have none.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where Linux lists the pieces of System V memory. Other systems have no such file; there a
/// killed server's 56 bytes stay until the machine starts anew.
const PIECES: &str = "/proc/sysvipc/shm";

/// PostgreSQL's files of shared memory that a process has, where Linux says so.
pub fn files_of(pid: u32) -> Vec<PathBuf> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
    let paths = maps.lines().filter_map(|line| line.split_whitespace().nth(5));
    paths.filter(|path| path.starts_with("/dev/shm/PostgreSQL.")).map(PathBuf::from).collect()
}

/// Frees what the servers of a folder left, these files among it, once their processes are gone.
/// What can't be freed is left alone: it is in nobody's way.
pub fn free(folder: &Path, files: &[PathBuf]) {
    for file in files {
        let _ = fs::remove_file(file);
    }
    let pieces = fs::read_to_string(PIECES).unwrap_or_default();
    for data in [folder, &folder.join("postgres")].into_iter().flat_map(subfolders) {
        let state = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
        if let Some(id) = named_piece(&state).and_then(|(key, id)| unused(&pieces, key, id)) {
            let _ = Command::new("ipcrm").args(["-m", id]).output();
        }
    }
}

fn subfolders(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.flatten().map(|entry| entry.path()).collect()
}

/// The key and id in the seventh line of `postmaster.pid`; see `miscadmin.h` of PostgreSQL.
fn named_piece(state: &str) -> Option<(&str, &str)> {
    let mut words = state.lines().nth(6)?.split_whitespace();
    Some((words.next()?, words.next()?))
}

/// The id, if a piece has it and this key, and no process is attached to it: after a restart of
/// the machine, both may have come to somebody else.
fn unused<'a>(pieces: &str, key: &str, id: &'a str) -> Option<&'a str> {
    // key shmid perms size cpid lpid nattch …
    let is_it = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.get(..2) == Some(&[key, id]) && words.get(6) == Some(&"0")
    };
    pieces.lines().any(is_it).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATE: &str =
        "4711\n/var/tmp/x\n1763720000\n23675\n\n127.0.0.1\n  1146930   3473487\nready\n";

    #[test]
    fn the_piece_is_named_in_the_state_file() {
        assert_eq!(named_piece(STATE), Some(("1146930", "3473487")));
        assert_eq!(named_piece("4711\n/var/tmp/x\n"), None);
    }

    #[test]
    fn a_piece_in_use_or_of_somebody_else_is_left_alone() {
        let pieces = "       key      shmid perms       size  cpid  lpid nattch\n\
                         1146930    3473487   600         56  4711  4711      0\n";
        assert_eq!(unused(pieces, "1146930", "3473487"), Some("3473487"));
        assert_eq!(unused(pieces, "1146931", "3473487"), None);
        assert_eq!(unused(&pieces.replace("      0\n", "      6\n"), "1146930", "3473487"), None);
    }
}
