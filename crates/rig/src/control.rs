//! The connection to the rig's program: it keeps the servers alive.
//!
//! A client that uses the servers holds a connection to the program. The operating system closes
//! it however the client ends, so the program always knows whether anybody is left, and no file
//! has to be cleared after a crash. Over the same connection go the few requests there are, one
//! line each, answered by one line: `ok`, or `error` and a sentence.

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::TcpStream;
use std::time::Duration;

use thiserror::Error;

use crate::RigError;
use crate::cluster::Cluster;
use crate::say::say;

/// How long the program may take to answer a request: as long as a server may take to start or
/// end.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// How long it may take to let a client in. It has nothing else to do then, so one that takes
/// longer was stopped, or hangs.
const JOIN_TIMEOUT_S: u64 = 5;

/// A connection to the rig's program.
#[derive(Debug)]
pub struct Control {
    connection: BufReader<TcpStream>,
}

/// Why the rig's program does not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ControlError {
    /// It has ended, or something else listens in its place.
    #[error("the rig's keeper has ended")]
    Gone,
    /// It is there and says nothing.
    #[error("the rig's keeper does not answer; `make down` ends it and its servers")]
    Silent,
    /// It has said why.
    #[error("{0}")]
    Refused(String),
}

impl Control {
    /// Connects to the program that keeps these servers and makes sure that it is the one.
    ///
    /// # Errors
    /// [`ControlError::Gone`] at once, [`ControlError::Silent`] after 5 seconds.
    pub fn connect(cluster: &Cluster) -> Result<Control, ControlError> {
        let gone = |_| ControlError::Gone;
        let address = cluster.control.ok_or(ControlError::Gone)?;
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(1)).map_err(gone)?;
        stream.set_nodelay(true).map_err(gone)?;
        let mut control = Control { connection: BufReader::new(stream) };
        control.send(&cluster.token)?;
        let mut answer = control.answer(Duration::from_secs(1));
        if answer == Err(ControlError::Silent) {
            say(&format!("rig: waiting for the rig's keeper, at most {JOIN_TIMEOUT_S} s"));
            answer = control.answer(Duration::from_secs(JOIN_TIMEOUT_S - 1));
        }
        answer.map(|()| control)
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// With the program's sentence, or when it does not answer.
    pub fn ask(&mut self, request: &str) -> Result<(), ControlError> {
        self.send(request)?;
        self.answer(ANSWER_TIMEOUT)
    }

    fn send(&mut self, line: &str) -> Result<(), ControlError> {
        writeln!(self.connection.get_mut(), "{line}").map_err(|_| ControlError::Gone)
    }

    fn answer(&mut self, patience: Duration) -> Result<(), ControlError> {
        let gone = |_| ControlError::Gone;
        self.connection.get_mut().set_read_timeout(Some(patience)).map_err(gone)?;
        let mut answer = String::new();
        match self.connection.read_line(&mut answer) {
            Ok(_) => {}
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return Err(ControlError::Silent);
            }
            Err(_) => return Err(ControlError::Gone),
        }
        match answer.trim_end() {
            "ok" => Ok(()),
            "" => Err(ControlError::Gone),
            answer => Err(ControlError::Refused(answer.trim_start_matches("error ").to_owned())),
        }
    }
}

impl From<ControlError> for RigError {
    fn from(error: ControlError) -> RigError {
        RigError(error.to_string())
    }
}
