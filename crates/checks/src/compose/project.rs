//! A project of compose: its servers, under a name and on ports of its own.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use super::Form;
use crate::cargo::{self, Run};
use crate::outcome::NotRun;
use crate::repo::Repo;

/// The label that compose gives to all that it makes for a project.
const LABEL: &str = "com.docker.compose.project";

/// PostgreSQL's password. The servers are reachable from this machine alone, and for a minute.
const PASSWORD: &str = "for-this-check-alone";

/// Kafka and PostgreSQL, as the default profile starts them. Ends when it is dropped.
pub struct Project<'a> {
    /// The repository.
    pub repo: &'a Repo,
    form: Form,
    name: String,
    kafka_port: u16,
    postgres_port: u16,
}

impl<'a> Project<'a> {
    /// Chooses the name and the ports. Nothing is started yet.
    ///
    /// # Errors
    /// When no port is free.
    pub fn new(repo: &'a Repo, form: Form) -> Result<Project<'a>, NotRun> {
        let (kafka_port, postgres_port) = two_ports()?;
        let name = format!("tidemark-check-{}", std::process::id());
        Ok(Project { repo, form, name, kafka_port, postgres_port })
    }

    /// What a learner sets to use these servers.
    pub fn addresses(&self) -> [(&'static str, String); 3] {
        let (kafka, postgres) = (self.kafka_port, self.postgres_port);
        [
            // Whatever `make test` was told to use, here no other servers may be taken.
            ("TIDEMARK_RIG", "external".to_owned()),
            ("KAFKA_BOOTSTRAP_SERVERS", format!("127.0.0.1:{kafka}")),
            (
                "DATABASE_URL",
                format!("postgresql://postgres:{PASSWORD}@127.0.0.1:{postgres}/postgres"),
            ),
        ]
    }

    fn compose(&self, arguments: &[&str]) -> Result<Run, NotRun> {
        let mut command = self.form.command(self.repo);
        command
            .args(["--env-file", "versions.env"])
            .args(arguments)
            .env_remove("COMPOSE_PROFILES")
            .env("COMPOSE_PROJECT_NAME", &self.name)
            .env("POSTGRES_PASSWORD", PASSWORD)
            .env("KAFKA_PORT", self.kafka_port.to_string())
            .env("POSTGRES_PORT", self.postgres_port.to_string());
        cargo::run(&mut command)
    }

    /// Calls compose and expects success.
    pub fn succeeds(&self, arguments: &[&str]) -> Result<(), String> {
        let run = self.compose(arguments).map_err(|error| error.0)?;
        if run.status.success() {
            return Ok(());
        }
        Err(format!("compose {} failed:\n{}", arguments.join(" "), run.output))
    }

    /// Waits until the health checks of both servers pass.
    pub fn wait_until_healthy(&self, patience: Duration) -> Result<(), String> {
        let until = Instant::now() + patience;
        loop {
            let states = self.docker(&["ps", "--all", "--format", "{{.Names}} {{.Status}}"])?;
            if states.matches("(healthy)").count() == 2 {
                return Ok(());
            }
            if Instant::now() >= until {
                let seconds = patience.as_secs();
                return Err(format!("waited {seconds} s for two healthy servers, found: {states}"));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Judges whether nothing of the project is left: containers, volumes, networks, ports.
    pub fn is_gone(&self) -> Result<(), String> {
        for kind in [&["ps", "--all"][..], &["volume", "ls"], &["network", "ls"]] {
            let left = self.docker(&[kind, &["--quiet"]].concat())?;
            if !left.is_empty() {
                return Err(format!("left of `docker {}`: {left}", kind.join(" ")));
            }
        }
        for port in [self.kafka_port, self.postgres_port] {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
                return Err(format!("port {port} is still open"));
            }
        }
        Ok(())
    }

    /// Asks the engine about what carries the project's label.
    fn docker(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new("docker");
        command.args(arguments).arg("--filter").arg(format!("label={LABEL}={}", self.name));
        let run = cargo::run(&mut command).map_err(|error| error.0)?;
        if run.status.success() { Ok(run.output) } else { Err(run.output) }
    }
}

impl Drop for Project<'_> {
    fn drop(&mut self) {
        // Whatever went wrong before was said already.
        let _ = self.compose(&["down", "--volumes"]);
    }
}

/// Two free ports below those that the system gives to outgoing connections.
fn two_ports() -> Result<(u16, u16), NotRun> {
    let first = 20_000 + (std::process::id() % 9_000) as u16;
    let mut free =
        (first..30_000).filter(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok());
    match (free.next(), free.next()) {
        (Some(kafka), Some(postgres)) => Ok((kafka, postgres)),
        _ => Err("no two ports are free between 20000 and 29999".into()),
    }
}
