//! A line to the person, past the capture of the test harness.

use std::io::Write;

/// Writes a line to the standard error.
///
/// `eprintln!` would be captured by the test harness and shown only when the test fails, long
/// after the wait that the line explains. A write to the standard error itself is not captured.
/// Where nobody listens any more, there is nobody to tell, so a failed write is left alone.
pub fn say(line: &str) {
    // One write: libtest writes its own lines to the same terminal or pipe meanwhile.
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}
