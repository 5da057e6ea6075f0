//! Who uses the servers, and when they may end because nobody does.

use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use rig::setting::parsed_setting;

use crate::failure::Failure;

/// How long servers that nobody uses are kept.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// How long a private rig waits for its one client.
const FIRST_CLIENT_TIMEOUT: Duration = Duration::from_secs(60);

/// How long servers that nobody uses are kept: `TIDEMARK_IDLE_SECONDS`, else 15 minutes.
///
/// # Errors
/// When that variable is no number of seconds.
pub fn idle_timeout() -> Result<Duration, Failure> {
    let expected = "a whole number of seconds, 1 or more";
    let seconds: Option<NonZeroU64> = parsed_setting("TIDEMARK_IDLE_SECONDS", expected)?;
    Ok(seconds.map_or(IDLE_TIMEOUT, |seconds| Duration::from_secs(seconds.get())))
}

/// The clients of one keeper. The caller brings the time.
#[derive(Debug)]
pub struct Users {
    count: usize,
    nobody_since: Instant,
    patience: Duration,
    /// Whether the servers are one test's own, and end with it.
    private: bool,
}

impl Users {
    /// Servers for everybody: kept for `patience` after the last client has left.
    pub fn of_all(now: Instant, patience: Duration) -> Users {
        Users { count: 0, nobody_since: now, patience, private: false }
    }

    /// Servers of one test: kept until its client leaves.
    pub fn of_one_test(now: Instant) -> Users {
        Users { count: 0, nobody_since: now, patience: FIRST_CLIENT_TIMEOUT, private: true }
    }

    /// A client has come.
    pub fn joined(&mut self) {
        self.count += 1;
    }

    /// A client that had come has left.
    pub fn left(&mut self, now: Instant) {
        self.count -= 1;
        self.nobody_since = now;
        if self.private {
            self.patience = Duration::ZERO;
        }
    }

    /// Whether nobody uses the servers, and has not for so long that they may end.
    pub fn are_gone(&self, now: Instant) -> bool {
        self.count == 0 && now.duration_since(self.nobody_since) >= self.patience
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn servers_end_when_nobody_came_for_the_idle_time() {
        let start = Instant::now();
        let users = Users::of_all(start, 10 * SECOND);
        assert!(!users.are_gone(start + 9 * SECOND));
        assert!(users.are_gone(start + 10 * SECOND));
    }

    #[test]
    fn a_client_keeps_the_servers_for_any_time() {
        let start = Instant::now();
        let mut users = Users::of_all(start, 10 * SECOND);
        users.joined();
        assert!(!users.are_gone(start + 1_000 * SECOND));
    }

    #[test]
    fn the_idle_time_begins_when_the_last_client_leaves() {
        let start = Instant::now();
        let mut users = Users::of_all(start, 10 * SECOND);
        users.joined();
        users.joined();
        users.left(start + 50 * SECOND);
        assert!(!users.are_gone(start + 100 * SECOND), "one client is left");
        users.left(start + 100 * SECOND);
        assert!(!users.are_gone(start + 109 * SECOND));
        assert!(users.are_gone(start + 110 * SECOND));
    }

    #[test]
    fn a_private_rig_ends_with_its_client_and_waits_a_minute_for_it() {
        let start = Instant::now();
        let mut users = Users::of_one_test(start);
        assert!(!users.are_gone(start + 59 * SECOND));
        assert!(users.are_gone(start + 60 * SECOND));
        users.joined();
        users.left(start + 20 * SECOND);
        assert!(users.are_gone(start + 20 * SECOND));
    }
}
