//! Ctrl-C as a wish to stop, and a second one as an order.

use std::future::poll_fn;
use std::io::{self, IsTerminal, stderr};
use std::process::exit;
use std::task::Poll;

use rig::say::say;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What a shell reports for a program that Ctrl-C ended: 128 and the number of the signal.
const ENDED_BY_CTRL_C: i32 = 130;

/// Makes Ctrl-C, and SIGTERM, a wish: the token is cancelled, and the run finishes what it holds.
/// The second one ends the process at once, as a crash would.
///
/// To be called in a Tokio runtime. A run that blocks every thread of it is not heard.
///
/// # Errors
/// When the system does not let the process listen.
pub fn stop_on_signal() -> io::Result<CancellationToken> {
    let mut signals = [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?];
    let stop = CancellationToken::new();
    let asked = stop.clone();
    tokio::spawn(async move {
        next_of(&mut signals).await;
        say_on_a_clear_line("stopping: finishing what is held; Ctrl-C again ends at once");
        asked.cancel();
        next_of(&mut signals).await;
        say_on_a_clear_line("ended at once; what was held is not finished");
        exit(ENDED_BY_CTRL_C);
    });
    Ok(stop)
}

/// Waits for the next of the signals.
async fn next_of(signals: &mut [Signal]) {
    poll_fn(|context| {
        if signals.iter_mut().any(|signal| signal.poll_recv(context).is_ready()) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

/// On a terminal a live line, and the `^C` behind it, stand where the sentence is to begin.
fn say_on_a_clear_line(sentence: &str) {
    let clear = if stderr().is_terminal() { "\r\x1b[2K" } else { "" };
    say(&format!("{clear}{sentence}"));
}
