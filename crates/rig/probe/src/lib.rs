//! Whether a server answers, in its own protocol.
//!
//! A connection that is accepted says little: Docker accepts for a container that is paused, and
//! closes again for one that is only starting. So each server is asked the smallest question that
//! its protocol has.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long a server on this machine may take to answer.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// `ApiVersions`, version 0, without a client id: its length, then key 18, version 0, the
/// correlation id 7 and a null string. See "The Messages" in Kafka's protocol guide.
const API_VERSIONS: [u8; 14] = [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, 0xff, 0xff];

/// `SSLRequest`: its length, then the code 80877103. See "Message Formats" in PostgreSQL's
/// documentation.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// Whether Kafka answers at this address.
pub fn kafka_answers(address: SocketAddr) -> bool {
    // The answer's length, then the correlation id of the question.
    let mut answer = [0; 8];
    ask(address, &API_VERSIONS, &mut answer) && answer[4..] == [0, 0, 0, 7]
}

/// Whether PostgreSQL answers at this address.
pub fn postgres_answers(address: SocketAddr) -> bool {
    let mut answer = [0; 1];
    ask(address, &SSL_REQUEST, &mut answer) && matches!(answer, [b'S' | b'N'])
}

fn ask(address: SocketAddr, question: &[u8], answer: &mut [u8]) -> bool {
    let mut asked = || {
        let mut stream = TcpStream::connect_timeout(&address, ANSWER_TIMEOUT)?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        stream.write_all(question)?;
        stream.read_exact(answer)
    };
    asked().is_ok()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn who_accepts_and_says_nothing_does_not_answer() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        // Accepted by the system, and read by nobody.
        assert!(!postgres_answers(address));
    }

    #[test]
    fn who_speaks_another_protocol_does_not_answer() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            for _ in 0..2 {
                let (mut stream, _) = listener.accept().unwrap();
                stream.write_all(b"HTTP/1.1 400 Bad Request\r\n").unwrap();
            }
        });
        assert!(!kafka_answers(address));
        assert!(!postgres_answers(address));
        server.join().unwrap();
    }
}
