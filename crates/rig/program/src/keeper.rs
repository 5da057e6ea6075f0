//! The keeper: a process of its own that starts the servers, keeps them while anybody uses them,
//! and ends them.
//!
//! It has a session and a log of its own and holds nothing that its caller gave it but one pipe,
//! over which it reports until the servers are up.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use nix::unistd::{dup2_stdout, setsid};
use rig::cluster::{Cluster, Provider as Kind};
use rig::place::Place;
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::failure::Failure;
use crate::folder;
use crate::lock::{self, Lock};
use crate::orphans;
use crate::postgres::Durability;
use crate::provider::{Provider, Servers, prepare};
use crate::random::random_word;
use crate::users::{self, Users};

/// The subcommand by which a keeper is started, and found again among all processes.
pub const COMMAND: &str = "keep";

/// How long an earlier keeper of this folder may take to end. Whoever has started this one has
/// waited for it already.
const PREDECESSOR_TIMEOUT: Duration = Duration::from_secs(10);

/// How often the keeper looks after its servers.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// What a keeper keeps.
#[derive(Debug, Clone)]
pub struct Task {
    /// Where the servers come from.
    pub kind: Kind,
    /// Their folder.
    pub place: Place,
    /// Whether they are one test's own: gone with it, and safe through a crash.
    pub private: bool,
}

/// What clients do.
enum Event {
    Joined { answer: Sender<String> },
    Left,
    Asked { request: String, answer: Sender<String> },
}

/// Starts the servers and keeps them until nobody needs them. `report` is told `progress …`, and
/// at last `ready` or `failed …`.
///
/// # Errors
/// When the servers cannot be started; `report` was told.
pub fn keep(task: &Task, mut report: impl FnMut(&str)) -> Result<(), Failure> {
    // It fails only for a process that leads a session already, and then nothing is to be done.
    let _ = setsid();
    match start(task, &mut report) {
        Ok(mut kept) => {
            report("ready");
            let_go_of_caller()?;
            let why = kept.watch();
            log(&format!("ending: {why}"));
            kept.end(task)
        }
        Err(failure) => {
            report(&format!("failed {failure}"));
            if task.private {
                folder::take_away(&task.place)?;
            }
            Err(failure)
        }
    }
}

/// Whoever waits for the pipe to close must not wait for as long as the servers are kept. What
/// would still be printed goes to the log.
fn let_go_of_caller() -> Result<(), Failure> {
    dup2_stdout(std::io::stderr())
        .map_err(|error| Failure(format!("cannot let go of the caller: {error}")))
}

fn log(line: &str) {
    rig::say::say(line);
}

/// Servers that are kept.
struct Kept {
    provider: Box<dyn Provider>,
    events: Receiver<Event>,
    stop_asked: Arc<AtomicBool>,
    users: Users,
    private: bool,
    /// Held for as long as the servers are kept.
    _lock: Lock,
}

fn start(task: &Task, report: &mut impl FnMut(&str)) -> Result<Kept, Failure> {
    let lock_file = task.place.keeper_lock();
    let lock = lock::wait(&lock_file, "an earlier keeper to end", PREDECESSOR_TIMEOUT, || {
        folder::lock_keeper(&task.place)
    })?;
    let stop_asked = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        signal_hook::flag::register(signal, Arc::clone(&stop_asked))
            .map_err(|error| Failure(format!("cannot listen for signals: {error}")))?;
    }
    let ended = orphans::end(task.place.folder())?;
    if ended > 0 {
        log(&format!("ended {ended} processes of an earlier start"));
    }
    let durability = if task.private { Durability::Real } else { Durability::Throwaway };
    let mut provider = prepare(task.kind, &task.place, durability)?;
    let servers = provider.start(&mut |progress| report(&format!("progress {progress}")))?;
    match open_to_clients(task, servers) {
        Ok(events) => {
            let users = users(task)?;
            Ok(Kept { provider, events, stop_asked, users, private: task.private, _lock: lock })
        }
        Err(failure) => {
            provider.stop();
            Err(failure)
        }
    }
}

/// Nobody yet; whoever waits for the servers is the first to come.
fn users(task: &Task) -> Result<Users, Failure> {
    let now = Instant::now();
    Ok(match task.private {
        true => Users::of_one_test(now),
        false => Users::of_all(now, users::idle_timeout()?),
    })
}

/// Listens for clients and tells them where.
fn open_to_clients(task: &Task, servers: Servers) -> Result<Receiver<Event>, Failure> {
    let token = random_word()?;
    let (control, events) = listen(token.clone())?;
    let cluster = cluster(task.kind, servers, control, token);
    let text = serde_json::to_string(&cluster).expect("a cluster holds only text");
    folder::write_secret(&task.place.cluster_file(), &text)?;
    Ok(events)
}

fn cluster(kind: Kind, servers: Servers, control: SocketAddr, token: String) -> Cluster {
    Cluster {
        provider: kind,
        kafka: vec![("bootstrap.servers".to_owned(), servers.bootstrap)],
        kafka_version: servers.kafka_version,
        database_url: servers.database_url,
        postgres_version: servers.postgres_version,
        prefix: String::new(),
        replication: None,
        control: Some(control),
        token,
    }
}

impl Kept {
    /// Serves clients until there is a reason to end, and returns it.
    fn watch(&mut self) -> String {
        loop {
            match self.events.recv_timeout(LOOK_EVERY) {
                Ok(Event::Joined { answer }) => {
                    self.users.joined();
                    let _ = answer.send("ok".to_owned());
                }
                Ok(Event::Left) => self.users.left(Instant::now()),
                Ok(Event::Asked { request, answer }) => {
                    if request == "down" {
                        let _ = answer.send("ok".to_owned());
                        return "asked to".to_owned();
                    }
                    let _ = answer.send(self.serve(&request));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return "no longer reachable".to_owned(),
            }
            if self.stop_asked.load(Ordering::Relaxed) {
                return "a signal".to_owned();
            }
            if let Some(trouble) = self.provider.lost() {
                return trouble;
            }
            if self.users.are_gone(Instant::now()) {
                return "nobody uses the servers".to_owned();
            }
        }
    }

    fn serve(&mut self, request: &str) -> String {
        let outcome = match request.split_once(' ') {
            Some((verb, server)) if self.private => self.provider.change(verb, server),
            _ => Err(Failure(format!("the rig does not know the request `{request}`"))),
        };
        match outcome {
            Ok(()) => "ok".to_owned(),
            Err(failure) => format!("error {failure}"),
        }
    }

    fn end(mut self, task: &Task) -> Result<(), Failure> {
        // First nobody may find or join the servers any more, then they may go. A client that waits
        // to be let in is sent away by the end of its connection, and starts anew.
        drop(self.events);
        let _ = std::fs::remove_file(task.place.cluster_file());
        self.provider.stop();
        if task.private { folder::take_away(&task.place) } else { Ok(()) }
    }
}

/// Accepts clients on a port of its own, each on a thread that ends with its client.
fn listen(token: String) -> Result<(SocketAddr, Receiver<Event>), Failure> {
    let failed = |error| Failure(format!("cannot listen for clients: {error}"));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let (events, received) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (events, token) = (events.clone(), token.clone());
            std::thread::spawn(move || serve_client(&stream, &token, &events));
        }
    });
    Ok((address, received))
}

/// Returns when the client is gone, or did not know the token.
fn serve_client(stream: &TcpStream, token: &str, events: &Sender<Event>) {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let mut reply = stream;
    if lines.next().as_deref() != Some(token) {
        return;
    }
    let (answer, answers) = channel();
    let mut event = Event::Joined { answer };
    let mut answers = answers;
    loop {
        // No answer: the servers are ending, and the client hears it by the end of the connection.
        let Ok(()) = events.send(event) else { return };
        let Ok(answer) = answers.recv() else { return };
        let request = match writeln!(reply, "{answer}") {
            Ok(()) => lines.next(),
            Err(_) => None,
        };
        let Some(request) = request else { break };
        let (answer, next_answers) = channel();
        answers = next_answers;
        event = Event::Asked { request, answer };
    }
    let _ = events.send(Event::Left);
}
