//! Whether a server lets clients in.

use std::io::{Error, Read, Write};
use std::net::{SocketAddr, TcpStream};

use rig_probe::ANSWER_TIMEOUT;

/// The version of PostgreSQL's protocol, 3.0. See "Message Formats" in its documentation.
const PROTOCOL: u32 = 3 << 16;

/// What PostgreSQL asks a client for its password with. While it still recovers, it sends an
/// error (`E`) instead.
const AUTHENTICATION: u8 = b'R';

/// Whether Kafka at this port of the machine answers.
pub fn kafka(port: u16) -> bool {
    rig_probe::kafka_answers(local(port))
}

/// Whether PostgreSQL at this port of the machine has recovered and asks for a password.
pub fn postgres(port: u16) -> bool {
    asks_for_password(local(port)).unwrap_or(false)
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn asks_for_password(address: SocketAddr) -> Result<bool, Error> {
    let mut stream = TcpStream::connect_timeout(&address, ANSWER_TIMEOUT)?;
    stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
    stream.write_all(&startup_message())?;
    let mut answer = [0; 1];
    stream.read_exact(&mut answer)?;
    Ok(answer[0] == AUTHENTICATION)
}

/// `StartupMessage`: its length, the protocol's version, then names and values, each ended by a
/// zero, and a zero more.
fn startup_message() -> Vec<u8> {
    let settings = b"user\0tidemark\0database\0tidemark\0\0";
    let length = u32::try_from(8 + settings.len()).expect("a short message");
    [&length.to_be_bytes()[..], &PROTOCOL.to_be_bytes(), settings].concat()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn answered_with(answer: &'static [u8]) -> bool {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut question = [0; 41];
            stream.read_exact(&mut question).unwrap();
            assert_eq!(question[..4], [0, 0, 0, 41], "the length that it says of itself");
            stream.write_all(answer).unwrap();
        });
        let lets_in = postgres(port);
        server.join().unwrap();
        lets_in
    }

    #[test]
    fn a_server_that_asks_for_a_password_lets_in() {
        assert!(answered_with(b"R\0\0\0\x17"));
    }

    #[test]
    fn a_server_that_still_recovers_does_not_let_in() {
        assert!(!answered_with(b"E\0\0\0\x60SFATAL\0"));
    }
}
