//! The containers provider: both servers by testcontainers, in a program of its own.
//!
//! testcontainers and what it brings would double the time that this program takes to build.
//! Only a machine with a Docker engine pays for it. The two speak by lines; see that program.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::{Duration, Instant};

use rig::place::Place;
use rig::say::say;
use rig::setting::{parsed_setting, text_setting};
use serde::{Deserialize, Serialize};

use crate::docker::{self, Container, Engine};
use crate::failure::Failure;
use crate::folder;
use crate::kafka;
use crate::ports;
use crate::provider::{Provider, Servers};
use crate::random::random_word;
use crate::versions;
use rig::patience::patience;
use rig::slow::say_when_slow;

/// What each container may take of the machine's memory, in MiB. `TIDEMARK_CONTAINER_MIB` sets
/// another limit.
const MEMORY_MIB: u32 = 1024;

/// How long a container may take to answer.
const START_TIMEOUT: Duration = Duration::from_secs(90);

/// How long the containers' program may be silent while it starts them: longer than its own
/// limits together.
const SILENCE_BEYOND_START: Duration = Duration::from_secs(120);

/// How often the engine is asked about the containers.
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// How long the engine may take to tell about the containers.
const CHECK_TIMEOUT: Duration = Duration::from_secs(35);

/// How long both containers may take to stop: a little longer than the engine gives them.
const STOP_TIMEOUT: Duration = Duration::from_secs(25);

/// What is said of the containers' program when it does not answer any more.
const PROGRAM_ENDED: &str = "the program that keeps the containers has ended";

/// Both servers in containers.
#[derive(Debug)]
pub struct Containers {
    order: Order,
    folder: PathBuf,
    program: Option<Program>,
    checked: Instant,
    /// Whether the answer to a check is still to come.
    checking: bool,
}

/// What is ordered. Kept in the rig's folder: the same order finds the same containers.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Order {
    docker_host: String,
    label: String,
    /// Drawn together with the password.
    id: String,
    password: String,
    kafka_image: String,
    postgres_image: String,
    kafka_port: u16,
    postgres_port: u16,
    memory_mib: u32,
    start_seconds: u64,
}

/// The containers' program and the two ends of the talk with it.
#[derive(Debug)]
struct Program {
    child: Child,
    requests: ChildStdin,
    answers: Receiver<String>,
}

impl Containers {
    /// Makes the order, with password and ports of an earlier start in this place.
    ///
    /// # Errors
    /// When no engine answers, a setting is not what it must be, a port is taken, or the order
    /// cannot be kept.
    pub fn new(place: &Place) -> Result<Containers, Failure> {
        let engine = docker::engine()?;
        let order = order(place, &engine)?;
        let text = serde_json::to_string(&order).expect("an order holds only text and numbers");
        folder::write_secret(&order_file(place), &text)?;
        let folder = place.folder().to_owned();
        Ok(Containers { order, folder, program: None, checked: Instant::now(), checking: false })
    }

    /// Starts the containers' program and passes on what it says until it is ready.
    fn start_program(&mut self, progress: &mut dyn FnMut(&str)) -> Result<(), Failure> {
        let patience = Duration::from_secs(self.order.start_seconds) + SILENCE_BEYOND_START;
        let mut program = Program::start(&self.order.docker_host, &self.folder)?;
        program.request(&serde_json::to_string(&self.order).expect("text and numbers"));
        loop {
            let said = program.line(patience).unwrap_or(format!("failed {PROGRAM_ENDED}"));
            match said.split_once(' ') {
                Some(("progress", step)) => progress(step),
                Some(("lost-data", why)) => {
                    say(&format!("replaced a container: {why}"));
                    progress(&format!("{why}; replacing it, what was in it is lost …"));
                }
                Some((_, why)) => {
                    program.end();
                    return Err(Failure(format!("Docker answers, but {why}")));
                }
                None => break,
            }
        }
        self.program = Some(program);
        Ok(())
    }
}

fn order_file(place: &Place) -> PathBuf {
    place.folder().join("containers.json")
}

fn earlier_order(place: &Place) -> Option<Order> {
    serde_json::from_slice(&fs::read(order_file(place)).ok()?).ok()
}

fn order(place: &Place, engine: &Engine) -> Result<Order, Failure> {
    let label = label(place);
    let earlier = earlier_order(place);
    let (id, password) = match &earlier {
        Some(earlier) => (earlier.id.clone(), earlier.password.clone()),
        None => (random_word()?, random_word()?),
    };
    let ours = ports_of_running(&engine.containers(&label)?);
    let earlier_port = |of: fn(&Order) -> u16| earlier.as_ref().map(of);
    Ok(Order {
        docker_host: engine.host.clone(),
        label,
        id,
        password,
        kafka_image: versions::kafka_image(),
        postgres_image: versions::postgres_image(),
        kafka_port: port("TIDEMARK_KAFKA_PORT", earlier_port(|o| o.kafka_port), &ours)?,
        postgres_port: port("TIDEMARK_POSTGRES_PORT", earlier_port(|o| o.postgres_port), &ours)?,
        memory_mib: memory_mib()?,
        start_seconds: patience(START_TIMEOUT)?.as_secs(),
    })
}

fn label(place: &Place) -> String {
    place.folder().display().to_string()
}

fn ports_of_running(containers: &[Container]) -> Vec<u16> {
    containers.iter().filter(|container| container.runs()).filter_map(Container::port).collect()
}

/// The port that the variable names, else that of the earlier start, else any free one. A port that
/// somebody else uses meanwhile is given up, unless the variable names it.
fn port(variable: &str, earlier: Option<u16>, ours: &[u16]) -> Result<u16, Failure> {
    let named = text_setting(variable);
    let is_earlier = |port: &u16| named.as_ref().is_none_or(|named| *named == port.to_string());
    match earlier.filter(is_earlier) {
        Some(port) if ours.contains(&port) || ports::is_free(port) => Ok(port),
        _ => Ok(ports::free(variable)?.port()),
    }
}

fn memory_mib() -> Result<u32, Failure> {
    let expected = "a whole number of MiB, 1 or more";
    let limit: Option<NonZeroU32> = parsed_setting("TIDEMARK_CONTAINER_MIB", expected)?;
    Ok(limit.map_or(MEMORY_MIB, NonZeroU32::get))
}

/// Builds the containers' program where that has not been done. The first time, it takes about a
/// minute.
///
/// # Errors
/// When it cannot be built.
pub fn build() -> Result<(), Failure> {
    let built = say_when_slow(
        "bringing the program that starts containers up to date, a minute the first time",
        || cargo("build").stdin(Stdio::null()).stdout(Stdio::null()).status(),
    );
    match built {
        Ok(status) if status.success() => Ok(()),
        _ => Err(Failure::new("the program that starts containers could not be built")),
    }
}

/// Stops the containers of this place that run, and keeps them. Returns whether there were any.
///
/// # Errors
/// When one of them cannot be stopped.
pub fn stop(place: &Place) -> Result<bool, Failure> {
    end_by_label(place, "stop", Container::runs)
}

/// Removes the containers that were ever started in this place, and returns whether any of them
/// ran. Works without the folder too.
///
/// # Errors
/// When one of them cannot be removed.
pub fn clear(place: &Place) -> Result<bool, Failure> {
    end_by_label(place, "clear", |_| true)
}

fn end_by_label(
    place: &Place,
    verb: &str,
    concerns: fn(&Container) -> bool,
) -> Result<bool, Failure> {
    let engine = match earlier_order(place) {
        Some(order) => docker::engine_at(&order.docker_host).map_err(|no_engine| {
            let why = Failure::from(no_engine);
            Failure(format!("containers may be left: {why}; start Docker and try again"))
        })?,
        // Nothing says that there ever were containers, and nobody who could.
        None => match docker::engine() {
            Ok(engine) => engine,
            Err(_) => return Ok(false),
        },
    };
    let found = engine.containers(&label(place))?;
    if found.iter().any(concerns) {
        build()?;
        run(&engine.host, verb, &label(place))?;
    }
    Ok(found.iter().any(Container::runs))
}

/// Runs the containers' program on all containers of a label.
fn run(docker_host: &str, verb: &str, label: &str) -> Result<(), Failure> {
    let output = program(docker_host).args([verb, label]).output();
    let output = output.map_err(|error| Failure(format!("cannot run cargo: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stdout);
    Err(Failure(format!("containers are left: {}", said.trim().trim_start_matches("failed "))))
}

fn program(docker_host: &str) -> Command {
    let mut command = cargo("run");
    command.env("DOCKER_HOST", docker_host).arg("--");
    command
}

fn cargo(verb: &str) -> Command {
    let mut command = rig::cargo();
    command.args([verb, "--quiet", "--package", "rig-containers"]);
    command
}

impl Program {
    fn start(docker_host: &str, folder: &Path) -> Result<Program, Failure> {
        let mut child = program(docker_host)
            .arg("serve")
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| Failure(format!("cannot start containers: {error}")))?;
        let requests = child.stdin.take().expect("the input is piped");
        let output = child.stdout.take().expect("the output is piped");
        let (lines, answers) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // Nobody listens any more: then nobody waits for an answer either.
                let _ = lines.send(line);
            }
        });
        Ok(Program { child, requests, answers })
    }

    /// The next line; `None` when the program has ended or says nothing.
    fn line(&self, patience: Duration) -> Option<String> {
        self.answers.recv_timeout(patience).ok()
    }

    fn request(&mut self, request: &str) {
        // A program that has ended says so by the end of its answers.
        let _ = writeln!(self.requests, "{request}");
    }

    /// Returns when the program has ended: by itself, as after a request to stop, or killed.
    fn end(mut self) {
        drop(self.requests);
        let until = Instant::now() + STOP_TIMEOUT;
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() >= until {
                // It fails only for a process that has ended this moment.
                let _ = self.child.kill();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Provider for Containers {
    fn start(&mut self, progress: &mut dyn FnMut(&str)) -> Result<Servers, Failure> {
        let (kafka_version, postgres_version) = (versions::kafka(), versions::postgres());
        progress(&format!(
            "taking Kafka {kafka_version} and PostgreSQL {postgres_version} from containers"
        ));
        let began = Instant::now();
        self.start_program(progress)?;
        let kafka = SocketAddr::from(([127, 0, 0, 1], self.order.kafka_port));
        let postgres = SocketAddr::from(([127, 0, 0, 1], self.order.postgres_port));
        if let Err(failure) = wait_for_cluster(kafka, self.order.start_seconds) {
            self.stop();
            return Err(failure);
        }
        progress(&format!("started both in {:.1} s", began.elapsed().as_secs_f32()));
        Ok(Servers {
            bootstrap: kafka.to_string(),
            kafka_version: kafka_version.to_owned(),
            database_url: format!(
                "postgresql://tidemark:{}@{postgres}/tidemark",
                self.order.password
            ),
            postgres_version: postgres_version.to_owned(),
        })
    }

    /// Asks without waiting: whoever wants to join must not wait for a slow engine.
    fn lost(&mut self) -> Option<String> {
        let program = self.program.as_mut()?;
        if !self.checking && self.checked.elapsed() >= CHECK_EVERY {
            program.request("check");
            self.checked = Instant::now();
            self.checking = true;
        }
        match program.answers.try_recv() {
            Ok(answer) => {
                self.checking = false;
                answer.strip_prefix("lost ").map(str::to_owned)
            }
            Err(TryRecvError::Disconnected) => Some(PROGRAM_ENDED.to_owned()),
            Err(TryRecvError::Empty) if self.checking && self.checked.elapsed() > CHECK_TIMEOUT => {
                Some("the Docker engine does not tell about the containers".to_owned())
            }
            Err(TryRecvError::Empty) => None,
        }
    }

    fn change(&mut self, verb: &str, server: &str) -> Result<(), Failure> {
        Err(Failure(format!("cannot {verb} {server}: private rigs use the local provider")))
    }

    fn stop(&mut self) {
        let Some(mut program) = self.program.take() else { return };
        program.request("stop");
        program.end();
        // One that was killed, or whose engine had an error, has left containers.
        let Ok(engine) = docker::engine_at(&self.order.docker_host) else {
            return say("the Docker engine does not answer; its containers may still run");
        };
        let left = engine.containers(&self.order.label).unwrap_or_default();
        if left.iter().any(Container::runs)
            && let Err(failure) = run(&engine.host, "stop", &self.order.label)
        {
            say(&failure.to_string());
        }
    }
}

/// The broker answers already; its cluster knows it a moment later.
fn wait_for_cluster(kafka: SocketAddr, seconds: u64) -> Result<(), Failure> {
    let until = Instant::now() + Duration::from_secs(seconds);
    while !kafka::serves(kafka) {
        if Instant::now() >= until {
            return Err(Failure(format!(
                "Docker answers, but Kafka in its container knows no broker after {seconds} s"
            )));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// A variable that nobody sets.
    const UNSET: &str = "TIDEMARK_PORT_OF_A_TEST";

    #[test]
    fn the_port_of_an_earlier_start_is_kept_while_it_is_free_or_our_own() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let taken = listener.local_addr().unwrap().port();
        assert_eq!(port(UNSET, Some(taken), &[taken]), Ok(taken));
        assert_ne!(port(UNSET, Some(taken), &[]), Ok(taken));
        drop(listener);
        assert_eq!(port(UNSET, Some(taken), &[]), Ok(taken));
    }
}
