//! A program at work: started, asked to stop as Ctrl-C does, and what it has said.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};

/// A program that is at work. It is killed when this is dropped, so a test that fails leaves none
/// behind.
pub struct AtWork {
    child: Child,
    said: Option<JoinHandle<String>>,
    shown: Option<JoinHandle<String>>,
}

/// What a program has said when it has ended.
#[derive(Debug)]
pub struct Ended {
    /// Its status.
    pub status: ExitStatus,
    /// Its output, without the first line.
    pub said: String,
    /// Its standard error.
    pub shown: String,
}

impl AtWork {
    /// Starts a program and waits until it has said its first line, or has ended without one.
    ///
    /// # Panics
    /// When the program cannot be started.
    pub fn start(program: &str, arguments: &[&str]) -> AtWork {
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let shown = rest_of(child.stderr.take().expect("it is piped"));
        let mut output = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut first = String::new();
        output.read_line(&mut first).expect("it is text");
        AtWork { child, said: Some(rest_of(output)), shown: Some(shown) }
    }

    /// Asks the program to stop as Ctrl-C does.
    ///
    /// # Panics
    /// When there is no command `kill`.
    pub fn interrupt(&self) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &pid]).status().expect("there is `kill`");
        assert!(sent.success(), "no process {pid} to stop");
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When what it has said is no text.
    pub fn end(mut self) -> Ended {
        let text = |of: &mut Option<JoinHandle<String>>| {
            of.take().expect("it is asked once").join().expect("it is text")
        };
        let (said, shown) = (text(&mut self.said), text(&mut self.shown));
        Ended { status: self.child.wait().expect("it has ended"), said, shown }
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        // Both fail where the program has ended and was waited for, and that is all that is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads to the end in a thread of its own: a program whose pipe is full would wait.
fn rest_of(mut output: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut rest = String::new();
        output.read_to_string(&mut rest).expect("it is text");
        rest
    })
}
