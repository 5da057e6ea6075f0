//! The containers provider: both servers by testcontainers, in a program of its own.
//!
//! testcontainers and what it brings would double the time that this program takes to build.
//! Only a machine with a Docker engine pays for it. The two speak by lines; see that program.

use std::fs;
use std::io::{BufRead, BufReader, Lines, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rig::place::Place;
use rig::probe;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::folder;
use crate::kafka;
use crate::ports;
use crate::provider::{Provider, Servers};
use crate::random::random_word;
use crate::versions;

/// How long a container that was found again may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// How often the engine is asked about the containers.
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// Both servers in containers.
#[derive(Debug)]
pub struct Containers {
    order: Order,
    program: Option<Program>,
    checked: Instant,
    /// What was found wrong with a container. It is removed then, and not kept for a next start.
    trouble: Option<String>,
}

/// Images, ports and password. Kept in the rig's folder: the same order finds the same containers.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Order {
    label: String,
    kafka_image: String,
    postgres_image: String,
    kafka_port: u16,
    postgres_port: u16,
    password: String,
}

/// The containers' program and the two ends of the talk with it.
#[derive(Debug)]
struct Program {
    child: Child,
    requests: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Containers {
    /// Takes the order of an earlier start in this place, or makes one.
    ///
    /// # Errors
    /// When no port is free or the order cannot be kept.
    pub fn new(place: &Place) -> Result<Containers, Failure> {
        let order = earlier_order(place).map_or_else(|| new_order(place), Ok)?;
        let text = serde_json::to_string(&order).expect("an order holds only text and numbers");
        folder::write_secret(&order_file(place), &text)?;
        Ok(Containers { order, program: None, checked: Instant::now(), trouble: None })
    }

    fn stop_or_remove(&mut self) {
        let Some(mut program) = self.program.take() else { return };
        let request = if self.trouble.is_some() { "remove" } else { "stop" };
        // Where it does not answer any more, `down` clears by the label.
        let _ = program.ask(request);
        drop(program.requests);
        let _ = program.child.wait();
    }
}

fn order_file(place: &Place) -> PathBuf {
    place.folder().join("containers.json")
}

/// An order of another version of the images is no longer wanted.
fn earlier_order(place: &Place) -> Option<Order> {
    let order: Order = serde_json::from_slice(&fs::read(order_file(place)).ok()?).ok()?;
    let images = (order.kafka_image.as_str(), order.postgres_image.as_str());
    (images == (&versions::kafka_image(), &versions::postgres_image())).then_some(order)
}

fn new_order(place: &Place) -> Result<Order, Failure> {
    Ok(Order {
        label: place.folder().display().to_string(),
        kafka_image: versions::kafka_image(),
        postgres_image: versions::postgres_image(),
        kafka_port: ports::free("TIDEMARK_KAFKA_PORT")?.port(),
        postgres_port: ports::free("TIDEMARK_POSTGRES_PORT")?.port(),
        password: random_word()?,
    })
}

/// Builds the containers' program where that has not been done. The first time, it takes about a
/// minute.
///
/// # Errors
/// When it cannot be built.
pub fn build() -> Result<(), Failure> {
    let built = cargo("build").stdin(Stdio::null()).stdout(Stdio::null()).status();
    match built {
        Ok(status) if status.success() => Ok(()),
        _ => Err(Failure::new("the program that starts containers could not be built")),
    }
}

/// Removes the containers that were ever started in this place; fine when there are none.
///
/// # Errors
/// When one of them cannot be removed.
pub fn clear(place: &Place) -> Result<(), Failure> {
    if !order_file(place).exists() {
        return Ok(());
    }
    let output = cargo("run").args(["--", "clear"]).arg(place.folder()).output();
    let output = output.map_err(|error| Failure(format!("cannot run cargo: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stdout);
    Err(Failure(format!("containers are left: {}", said.trim().trim_start_matches("failed "))))
}

fn cargo(verb: &str) -> Command {
    let mut command = rig::cargo();
    command.args([verb, "--quiet", "--package", "rig-containers"]);
    command
}

impl Program {
    fn start(label: &str) -> Result<Program, Failure> {
        let mut child = cargo("run")
            .args(["--", "serve", label])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| Failure(format!("cannot start containers: {error}")))?;
        let requests = child.stdin.take().expect("the input is piped");
        let output = child.stdout.take().expect("the output is piped");
        Ok(Program { child, requests, answers: BufReader::new(output).lines() })
    }

    /// The next line of the program; a program that has ended says why instead.
    fn line(&mut self) -> String {
        match self.answers.next() {
            Some(Ok(line)) => line,
            _ => "lost the program that keeps the containers".to_owned(),
        }
    }

    fn ask(&mut self, request: &str) -> String {
        match writeln!(self.requests, "{request}") {
            Ok(()) => self.line(),
            Err(_) => "lost the program that keeps the containers".to_owned(),
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
        let mut program = Program::start(&self.order.label)?;
        let order = serde_json::to_string(&self.order).expect("an order holds text and numbers");
        let mut said = program.ask(&order);
        while let Some(step) = said.strip_prefix("progress ") {
            progress(step);
            said = program.line();
        }
        if said != "ready" {
            let _ = program.child.wait();
            let why = said.trim_start_matches("failed ").trim_start_matches("lost ");
            return Err(Failure(format!("Docker answers, but {why}")));
        }
        self.program = Some(program);
        let kafka = SocketAddr::from(([127, 0, 0, 1], self.order.kafka_port));
        let postgres = SocketAddr::from(([127, 0, 0, 1], self.order.postgres_port));
        if let Err(failure) = wait_for_answers(kafka, postgres) {
            self.trouble = Some(failure.to_string());
            self.stop_or_remove();
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

    fn lost(&mut self) -> Option<String> {
        if self.checked.elapsed() >= CHECK_EVERY {
            self.checked = Instant::now();
            let answer = self.program.as_mut()?.ask("check");
            self.trouble = answer.strip_prefix("lost ").map(str::to_owned);
        }
        self.trouble.clone()
    }

    fn change(&mut self, verb: &str, server: &str) -> Result<(), Failure> {
        Err(Failure(format!("cannot {verb} {server}: private rigs use the local provider")))
    }

    fn stop(&mut self) {
        self.stop_or_remove();
    }
}

/// Containers that were found again are not waited for by testcontainers.
fn wait_for_answers(kafka: SocketAddr, postgres: SocketAddr) -> Result<(), Failure> {
    let until = Instant::now() + ANSWER_TIMEOUT;
    while !(probe::postgres_answers(postgres) && kafka::serves(kafka)) {
        if Instant::now() >= until {
            let seconds = ANSWER_TIMEOUT.as_secs();
            return Err(Failure(format!("the containers did not answer within {seconds} s")));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
