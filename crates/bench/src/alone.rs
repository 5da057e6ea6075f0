//! Work in a process of its own: what one holds in memory is not counted for the next.

use std::error::Error;
use std::fs::read_to_string;
use std::process::Command;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::measure::cpu_time;

/// The first argument of a process that does one piece of work and says what it took.
pub const ALONE: &str = "alone";

/// What a process took.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Taken {
    /// The records that went through.
    pub records: u64,
    /// By the clock, from when the work began.
    pub wall: Duration,
    /// Processor time of all its threads, its own start included.
    pub cpu: Duration,
    /// The memory that it held before the work began, in bytes; `None` where the system has no
    /// `/proc`.
    pub began_with: Option<u64>,
    /// The most memory that it ever held, in bytes.
    pub peak: Option<u64>,
}

impl Taken {
    /// To be called in the process itself, at its end.
    pub fn of_this_process(records: u64, wall: Duration, began_with: Option<u64>) -> Taken {
        Taken { records, wall, cpu: cpu_time(), began_with, peak: memory("VmHWM:") }
    }
}

/// Starts this program again with this work, and waits for what it says.
///
/// # Errors
/// When the process fails, or says something else.
pub fn in_a_process(work: &[&str]) -> Result<Taken, Box<dyn Error>> {
    let output = Command::new(std::env::current_exe()?).arg(ALONE).args(work).output()?;
    let taken = serde_json::from_slice(&output.stdout);
    taken.map_err(|_| {
        let said = String::from_utf8_lossy(&output.stderr);
        format!("{work:?} ended with {}, and said:\n{said}", output.status).into()
    })
}

/// The memory that this process holds now, in bytes.
pub fn held_now() -> Option<u64> {
    memory("VmRSS:")
}

/// A line of `/proc/self/status`, whose figures are in kB. The system's own count of the most memory
/// that a process held, `ru_maxrss`, begins with what its parent held.
fn memory(name: &str) -> Option<u64> {
    let status = read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kb: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kb * 1_024)
}
