//! Nobody waits for more than a second without being told for what.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use crate::say::say;

/// How long a wait may be without a word.
const SILENCE: Duration = Duration::from_secs(1);

/// Does some work, and says what for when it takes longer than a second.
pub fn say_when_slow<T>(what: &str, work: impl FnOnce() -> T) -> T {
    std::thread::scope(|scope| {
        let (done, is_done) = channel::<()>();
        scope.spawn(move || {
            if is_done.recv_timeout(SILENCE) == Err(RecvTimeoutError::Timeout) {
                say(&format!("rig: {what} …"));
            }
        });
        let outcome = work();
        drop(done);
        outcome
    })
}
