//! The connection to the rig's program: it keeps the servers alive.
//!
//! A client that uses the servers holds a connection to the program. The operating system closes
//! it however the client ends, so the program always knows whether anybody is left, and no file
//! has to be cleared after a crash. Over the same connection go the few requests there are, one
//! line each, answered by one line: `ok`, or `error` and a sentence.

use std::io::{BufRead, BufReader, Error, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::RigError;
use crate::cluster::Cluster;

/// How long the program may take to answer: as long as a server may take to start or end.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// A connection to the rig's program.
#[derive(Debug)]
pub struct Control {
    connection: BufReader<TcpStream>,
}

impl Control {
    /// Connects to the program that keeps these servers and makes sure that it is the one.
    ///
    /// # Errors
    /// When nothing listens there any more, or something else does.
    pub fn connect(cluster: &Cluster) -> Result<Control, RigError> {
        let gone = |_| RigError("the rig's program does not answer".to_owned());
        let address = cluster.control.ok_or(RigError("no program keeps these servers".into()))?;
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(1)).map_err(gone)?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT)).map_err(gone)?;
        stream.set_nodelay(true).map_err(gone)?;
        let mut control = Control { connection: BufReader::new(stream) };
        control.ask(&cluster.token)?;
        Ok(control)
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// With the program's sentence, or when it does not answer.
    pub fn ask(&mut self, request: &str) -> Result<(), RigError> {
        let gone = |_: Error| RigError("the rig's program does not answer".to_owned());
        let mut answer = String::new();
        writeln!(self.connection.get_mut(), "{request}").map_err(gone)?;
        self.connection.read_line(&mut answer).map_err(gone)?;
        match answer.trim_end() {
            "ok" => Ok(()),
            "" => Err(RigError("the rig's program ended without an answer".to_owned())),
            answer => Err(RigError(answer.trim_start_matches("error ").to_owned())),
        }
    }
}
