//! The containers provider: both servers by testcontainers, in a program of its own.
//!
//! testcontainers and what it brings would double the time that this program takes to build.
//! Only a machine with a Docker engine pays for it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use rig::place;

use crate::failure::Failure;
use crate::provider::{Provider, Servers};
use crate::versions;

/// The containers' program, which ends the containers when its input ends.
#[derive(Debug)]
pub struct Containers {
    program: Option<Child>,
}

impl Containers {
    /// Builds the containers' program where that has not been done.
    ///
    /// # Errors
    /// When it cannot be built.
    pub fn new() -> Result<Containers, Failure> {
        let built = cargo("build").stdin(Stdio::null()).stdout(Stdio::null()).status();
        match built {
            Ok(status) if status.success() => Ok(Containers { program: None }),
            _ => Err(Failure::new("the program that starts containers could not be built")),
        }
    }
}

fn cargo(verb: &str) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args([verb, "--quiet", "--package", "rig-containers"])
        .current_dir(place::workspace_root());
    command
}

impl Provider for Containers {
    fn start(&mut self, progress: &mut dyn FnMut(&str)) -> Result<Servers, Failure> {
        let (kafka_version, postgres_version) = (versions::kafka(), versions::postgres());
        progress(&format!(
            "taking Kafka {kafka_version} and PostgreSQL {postgres_version} from containers"
        ));
        let mut program = cargo("run")
            .args(["--", kafka_version, postgres_version])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| Failure(format!("cannot start containers: {error}")))?;
        let output = program.stdout.take().expect("the output is piped");
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        let (first, second) = (lines.next().unwrap_or_default(), lines.next());
        let Some(database_url) = second else {
            let _ = program.wait();
            return Err(Failure(format!("Docker answers, but {first}")));
        };
        self.program = Some(program);
        Ok(Servers {
            bootstrap: first,
            kafka_version: kafka_version.to_owned(),
            database_url,
            postgres_version: postgres_version.to_owned(),
        })
    }

    fn lost(&mut self) -> Option<&'static str> {
        let program = self.program.as_mut()?;
        matches!(program.try_wait(), Ok(Some(_)) | Err(_)).then_some("the containers' program")
    }

    fn change(&mut self, verb: &str, server: &str) -> Result<(), Failure> {
        Err(Failure(format!("cannot {verb} {server}: private rigs use the local provider")))
    }

    fn stop(&mut self) {
        if let Some(mut program) = self.program.take() {
            drop(program.stdin.take());
            let _ = program.wait();
        }
    }
}
