//! How a run ends.

use std::error::Error;
use std::io;
use std::process::ExitCode;

use crate::say::say;

/// The exit code for what a run returned. An error is said in one line.
///
/// A run prints with `writeln!` and returns its errors, because `println!` panics where whoever
/// read the output has gone (`cargo run -p lab01 -- --board | head`). That nobody reads on is no
/// error: the run ends there, without a word.
pub fn exit_code(outcome: Result<(), Box<dyn Error>>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if nobody_reads(error.as_ref()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Whether it is the very error of a write to a pipe that is closed at its other end. One that is
/// wrapped in another error has to do with a server.
fn nobody_reads(error: &(dyn Error + 'static)) -> bool {
    let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
    kind == Some(io::ErrorKind::BrokenPipe)
}
