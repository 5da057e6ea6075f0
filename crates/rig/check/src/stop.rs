//! Ctrl-C as a wish to stop: what was made is removed first.

use std::io::{self, ErrorKind};

use rig::say::say;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

/// What a removal says when nothing stays.
pub const GONE: &str = "what this has made is gone";

/// Makes Ctrl-C cancel the token, from now on and whatever is asked.
///
/// # Errors
/// When the system does not let the process listen.
pub fn stop_on_ctrl_c() -> io::Result<CancellationToken> {
    let mut interrupts = signal(SignalKind::interrupt())?;
    let stop = CancellationToken::new();
    let asked = stop.clone();
    tokio::spawn(async move {
        interrupts.recv().await;
        say("stopping: what this has made is being removed");
        asked.cancel();
    });
    Ok(stop)
}

/// Waits for what is asked, or for Ctrl-C.
///
/// # Errors
/// Those of `asked`, or [`ErrorKind::Interrupted`].
pub async fn unless_stopped<T>(
    stop: &CancellationToken,
    asked: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    let stopped = || Err(io::Error::new(ErrorKind::Interrupted, "stopped by Ctrl-C"));
    stop.run_until_cancelled(asked).await.unwrap_or_else(stopped)
}

/// The error that ended a question, and what was said of the removal after it.
pub fn with_removal(error: &io::Error, removed: Result<String, String>) -> io::Error {
    let said = removed.unwrap_or_else(|why| why);
    io::Error::new(error.kind(), format!("{error}; {said}"))
}

/// Asks on another thread, since Ctrl-C is not heard by a thread that waits for a client.
///
/// # Errors
/// When the question panics.
pub async fn aside<T: Send + 'static>(
    question: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    spawn_blocking(question).await.map_err(io::Error::other)
}
