//! Whether a Docker engine answers.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rig::setting::text_setting;

use crate::failure::Failure;

/// How long an engine may take to say that it is there.
const PING_TIMEOUT: Duration = Duration::from_secs(2);

/// Asks the engine that `DOCKER_HOST` names, or the one at the usual sockets.
///
/// # Errors
/// Why none answers, as the beginning of a sentence: `no Docker engine answers`.
pub fn ping() -> Result<(), Failure> {
    let answered = match text_setting("DOCKER_HOST") {
        Some(host) => ping_host(&host),
        None => {
            let socket = usual_sockets().into_iter().find(|socket| socket.exists());
            let Some(socket) = socket else { return Err(Failure::new("no Docker engine here")) };
            ping_socket(&socket)
        }
    };
    answered.map_err(|error| match error.kind() {
        std::io::ErrorKind::PermissionDenied => Failure::new(
            "no permission to use the Docker socket (add yourself to the group `docker`)",
        ),
        _ => Failure::new("no Docker engine answers"),
    })
}

fn usual_sockets() -> Vec<PathBuf> {
    let mut sockets = vec![PathBuf::from("/var/run/docker.sock")];
    if let Some(home) = std::env::var_os("HOME") {
        sockets.push(Path::new(&home).join(".docker/run/docker.sock"));
    }
    sockets
}

fn ping_host(host: &str) -> std::io::Result<()> {
    match host.split_once("://") {
        Some(("unix", path)) => ping_socket(Path::new(path)),
        Some(("tcp", address)) => {
            let stream = TcpStream::connect(address)?;
            stream.set_read_timeout(Some(PING_TIMEOUT))?;
            ping_over(stream)
        }
        _ => Err(std::io::Error::other("a kind of DOCKER_HOST that is not known here")),
    }
}

fn ping_socket(socket: &Path) -> std::io::Result<()> {
    let stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PING_TIMEOUT))?;
    ping_over(stream)
}

/// `GET /_ping` is the engine's own question of health, answered `200 OK`.
fn ping_over(mut stream: impl Read + Write) -> std::io::Result<()> {
    stream.write_all(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")?;
    let mut answer = [0; 16];
    let length = stream.read(&mut answer)?;
    let says_ok = answer[..length].windows(4).any(|word| word == b" 200");
    if says_ok { Ok(()) } else { Err(std::io::Error::other("the engine is not well")) }
}
