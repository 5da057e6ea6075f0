//! Time, processor time and medians.

use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use serde::Serialize;

/// What one run took.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// The records that went through.
    pub records: u64,
    /// The bytes of their payloads.
    pub bytes: u64,
    /// By the clock.
    pub wall: Duration,
    /// Of this process, all its threads, the client's own included.
    pub cpu: Duration,
}

/// The medians of several runs.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Rates {
    /// Records a second.
    pub records_per_s: f64,
    /// Bytes of payload a second.
    pub bytes_per_s: f64,
    /// Records a second of processor time.
    pub records_per_cpu_s: f64,
    /// Bytes of payload a second of processor time.
    pub bytes_per_cpu_s: f64,
}

/// Begun when the work begins.
pub struct Clock {
    wall: Instant,
    cpu: Duration,
}

impl Clock {
    /// Begins now.
    pub fn begin() -> Clock {
        Clock { wall: Instant::now(), cpu: cpu_time() }
    }

    /// Ends now, with what went through.
    pub fn end(self, records: u64, bytes: u64) -> Run {
        Run { records, bytes, wall: self.wall.elapsed(), cpu: cpu_time() - self.cpu }
    }
}

/// The processor time of this process so far, in user and in system mode.
pub fn cpu_time() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("a process may ask for its own usage");
    [usage.user_time(), usage.system_time()]
        .iter()
        .map(|time| Duration::new(time.tv_sec() as u64, time.tv_usec() as u32 * 1_000))
        .sum()
}

impl Rates {
    /// The medians, each figure by itself.
    pub fn of(runs: &[Run]) -> Rates {
        let rate = |of: fn(&Run) -> f64| median(runs.iter().map(of).collect());
        Rates {
            records_per_s: rate(|run| run.records as f64 / run.wall.as_secs_f64()),
            bytes_per_s: rate(|run| run.bytes as f64 / run.wall.as_secs_f64()),
            records_per_cpu_s: rate(|run| run.records as f64 / run.cpu.as_secs_f64()),
            bytes_per_cpu_s: rate(|run| run.bytes as f64 / run.cpu.as_secs_f64()),
        }
    }
}

/// The median of an odd number of values.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
