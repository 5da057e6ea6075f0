//! Whether a Docker engine answers on this machine, and which containers of the rig it has.
//!
//! Two questions of the engine's HTTP interface, asked without a client library: who has no
//! containers must not wait until one is built.

use std::io::{Error, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rig::setting::text_setting;
use serde::Deserialize;

use crate::failure::Failure;
use rig::slow::say_when_slow;

/// How long an engine may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// An engine that has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Engine {
    /// Its address in the form of `DOCKER_HOST`.
    pub host: String,
}

/// A container of the rig, running or not.
#[derive(Debug, Deserialize)]
pub struct Container {
    #[serde(rename = "State")]
    state: String,
    #[serde(rename = "Labels")]
    labels: Labels,
}

#[derive(Debug, Deserialize)]
struct Labels {
    #[serde(rename = "tidemark.port", default)]
    port: String,
}

impl Container {
    /// Whether it runs, paused or not. Its port is taken then.
    pub fn runs(&self) -> bool {
        ["running", "paused", "restarting"].contains(&self.state.as_str())
    }

    /// Its port on this machine.
    pub fn port(&self) -> Option<u16> {
        self.labels.port.parse().ok()
    }
}

/// Why no engine can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoEngine {
    /// The beginning of a sentence: `no Docker engine answers`.
    why: String,
    /// What helps, where that is not in the reason itself.
    fix: Option<&'static str>,
}

impl From<NoEngine> for Failure {
    fn from(no_engine: NoEngine) -> Failure {
        Failure(no_engine.why)
    }
}

/// Whether an engine answers.
///
/// # Errors
/// Why none does, as the beginning of a sentence: `no Docker engine answers`.
pub fn ping() -> Result<(), Failure> {
    Ok(engine().map(drop)?)
}

/// Whether an engine answers, for somebody who takes nothing else.
///
/// # Errors
/// Why none does, and what helps.
pub fn required() -> Result<(), Failure> {
    engine().map(drop).map_err(|NoEngine { why, fix }| match fix {
        Some(fix) => Failure(format!("{why}; {fix}")),
        None => Failure(why),
    })
}

/// Finds an engine that answers: the one that `DOCKER_HOST` names, or one at the usual sockets.
///
/// # Errors
/// Why none answers.
pub fn engine() -> Result<Engine, NoEngine> {
    say_when_slow("waiting for the Docker engine", || {
        if let Some(host) = text_setting("DOCKER_HOST") {
            return engine_at(&host);
        }
        let mut failures = Vec::new();
        for socket in usual_sockets().into_iter().filter(|socket| socket.exists()) {
            match engine_at(&format!("unix://{}", socket.display())) {
                Ok(engine) => return Ok(engine),
                Err(failure) => failures.push(failure),
            }
        }
        Err(failures.into_iter().next().unwrap_or(NoEngine {
            why: "no Docker engine here".to_owned(),
            fix: Some("install Docker and start it"),
        }))
    })
}

/// Asks whether the engine at this address answers.
///
/// # Errors
/// Why it does not.
pub fn engine_at(host: &str) -> Result<Engine, NoEngine> {
    let engine = Engine { host: host.to_owned() };
    match engine.get("/_ping") {
        Ok(_) => Ok(engine),
        Err(error) => Err(no_engine(host, &error)),
    }
}

fn no_engine(host: &str, error: &Error) -> NoEngine {
    let (why, fix) = match error.kind() {
        ErrorKind::PermissionDenied => (
            "no permission to use the Docker socket (add yourself to the group `docker` and log \
             in again)"
                .to_owned(),
            None,
        ),
        ErrorKind::Unsupported => (
            format!(
                "DOCKER_HOST is `{host}`, expected `unix://` and a path, or `tcp://` and an \
                 address of this machine"
            ),
            None,
        ),
        ErrorKind::WouldBlock | ErrorKind::TimedOut => (
            format!("no Docker engine answers ({} s without a word)", ANSWER_TIMEOUT.as_secs()),
            Some("restart Docker"),
        ),
        _ => ("no Docker engine answers".to_owned(), Some("start Docker")),
    };
    NoEngine { why, fix }
}

/// The sockets of Docker's own engine, of one without root and of Docker Desktop.
fn usual_sockets() -> Vec<PathBuf> {
    let below = |variable, path| std::env::var_os(variable).map(|f| Path::new(&f).join(path));
    let sockets = [
        Some(PathBuf::from("/var/run/docker.sock")),
        below("XDG_RUNTIME_DIR", "docker.sock"),
        below("HOME", ".docker/run/docker.sock"),
        below("HOME", ".docker/desktop/docker.sock"),
    ];
    sockets.into_iter().flatten().collect()
}

impl Engine {
    /// The containers of a label, running or not.
    ///
    /// # Errors
    /// When the engine does not tell.
    pub fn containers(&self, label: &str) -> Result<Vec<Container>, Failure> {
        let filter = format!("%7B%22label%22%3A%5B%22tidemark.rig%3D{label}%22%5D%7D");
        let answer = self.get(&format!("/containers/json?all=1&filters={filter}"));
        let listed = answer.and_then(|body| serde_json::from_str(&body).map_err(Error::other));
        listed.map_err(|error| Failure(format!("the containers can't be listed: {error}")))
    }

    fn get(&self, path: &str) -> Result<String, Error> {
        match self.host.split_once("://") {
            Some(("unix", socket)) => {
                let stream = UnixStream::connect(socket)?;
                stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
                get(stream, path)
            }
            Some(("tcp", address)) => {
                let mut addresses = address.to_socket_addrs()?.filter(|a| a.ip().is_loopback());
                let address = addresses.next().ok_or(ErrorKind::Unsupported)?;
                let stream = TcpStream::connect_timeout(&address, ANSWER_TIMEOUT)?;
                stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
                get(stream, path)
            }
            _ => Err(ErrorKind::Unsupported.into()),
        }
    }
}

/// The body of the answer `200 OK`. With HTTP 1.0 the engine closes the connection after it.
fn get(mut stream: impl Read + Write, path: &str) -> Result<String, Error> {
    write!(stream, "GET {path} HTTP/1.0\r\nHost: docker\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) if head.split(' ').nth(1) == Some("200") => Ok(body.to_owned()),
        _ => Err(Error::other("the engine is not well")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(host: &str) -> String {
        engine_at(host).unwrap_err().why
    }

    #[test]
    fn an_engine_that_cannot_be_spoken_to_is_named() {
        for host in ["ssh://me@example.org", "docker", "tcp://192.0.2.1:2375"] {
            let why = why(host);
            assert!(why.starts_with(&format!("DOCKER_HOST is `{host}`, expected")), "{why}");
        }
    }

    #[test]
    fn a_socket_that_is_not_there_does_not_answer() {
        let folder = tempfile::tempdir().unwrap();
        let host = format!("unix://{}/docker.sock", folder.path().display());
        assert_eq!(why(&host), "no Docker engine answers");
    }

    #[test]
    fn a_body_is_taken_only_from_an_answer_that_is_ok() {
        let answer = |text: &str| {
            let (ours, mut theirs) = UnixStream::pair().unwrap();
            theirs.write_all(text.as_bytes()).unwrap();
            theirs.shutdown(std::net::Shutdown::Write).unwrap();
            get(ours, "/")
        };
        assert_eq!(answer("HTTP/1.0 200 OK\r\nA: b\r\n\r\n[]").unwrap(), "[]");
        assert!(answer("HTTP/1.0 500 no\r\n\r\n[]").is_err());
        assert!(answer("").is_err());
    }
}
