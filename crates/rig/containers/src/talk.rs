//! The talk with the rig's program: lines on the standard input and output.

use std::io::Write;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// Sends a line.
///
/// Whoever listened may have been killed; the end of the requests says so. So a failed write is
/// left alone.
pub fn say(line: &str) {
    let mut output = std::io::stdout();
    // One line, whatever the engine said.
    let _ = writeln!(output, "{}", line.replace('\n', " ")).and_then(|()| output.flush());
}

/// The lines that come in. The channel is closed when the input ends, as it does when the rig's
/// program is killed.
pub fn requests() -> UnboundedReceiver<String> {
    let (sender, requests) = unbounded_channel();
    // A thread, and not a task: the runtime would wait for a task that reads.
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    requests
}
