//! A stretch of wire between a job and its database, which can be cut at a commit.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

/// Where the wire is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The commit was sent, and never arrives.
    BeforeTheServer,
    /// The commit has happened, and its answer never arrives.
    BeforeTheAnswer,
}

/// Two ends of a connection, and what the proxy knows of it.
struct Wire {
    client: TcpStream,
    server: TcpStream,
    cut: Cut,
    /// So many commits pass before the one at which the wire is cut.
    passing: AtomicUsize,
    awaits_the_answer: AtomicBool,
}

/// Passes one connection on to a server and cuts it at its commit with this number, counted from 1.
/// Gives the port to connect to.
pub fn cutting(server: (&str, u16), cut: Cut, commit: usize) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let port = listener.local_addr().expect("it is bound").port();
    let server = TcpStream::connect(server).expect("the server takes connections");
    thread::spawn(move || {
        let Ok((client, _)) = listener.accept() else { return };
        let passing = AtomicUsize::new(commit - 1);
        let wire = Wire { client, server, cut, passing, awaits_the_answer: AtomicBool::new(false) };
        let wire = Arc::new(wire);
        let back = Arc::clone(&wire);
        thread::spawn(move || back.answers());
        wire.questions();
    });
    port
}

impl Wire {
    fn questions(&self) {
        let mut bytes = [0; 16 * 1024];
        while let Ok(read @ 1..) = (&self.client).read(&mut bytes) {
            if is_commit(&bytes[..read]) && self.is_the_one() {
                if self.cut == Cut::BeforeTheServer {
                    break;
                }
                self.awaits_the_answer.store(true, Ordering::SeqCst);
            }
            if (&self.server).write_all(&bytes[..read]).is_err() {
                break;
            }
        }
        self.end();
    }

    fn answers(&self) {
        let mut bytes = [0; 16 * 1024];
        while let Ok(read @ 1..) = (&self.server).read(&mut bytes) {
            if self.awaits_the_answer.load(Ordering::SeqCst) {
                break;
            }
            if (&self.client).write_all(&bytes[..read]).is_err() {
                break;
            }
        }
        self.end();
    }

    fn is_the_one(&self) -> bool {
        let passed = self
            .passing
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        passed.is_err()
    }

    /// Whoever is still there reads the end of the connection.
    fn end(&self) {
        let _ = self.client.shutdown(Shutdown::Both);
        let _ = self.server.shutdown(Shutdown::Both);
    }
}

/// Whether a client asks for a commit: one of the messages is a query (`Q`) or a statement to be
/// prepared (`P`) whose text begins with the word. A client that asks for one has read all answers
/// before, so a message begins where these bytes begin.
fn is_commit(mut bytes: &[u8]) -> bool {
    const BEGINNING: usize = 16;
    while let [tag, a, b, c, d, ..] = *bytes {
        let length = 1 + u32::from_be_bytes([a, b, c, d]) as usize;
        let (message, rest) = bytes.split_at(length.min(bytes.len()));
        let mut words = message[..message.len().min(BEGINNING)].windows(6);
        if matches!(tag, b'Q' | b'P') && words.any(|word| word.eq_ignore_ascii_case(b"commit")) {
            return true;
        }
        bytes = rest;
    }
    false
}
