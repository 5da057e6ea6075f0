//! The local provider: both servers on this machine, without containers.

use std::path::Path;
use std::sync::OnceLock;
use std::time::Instant;

use rig::place::Place;

use crate::failure::Failure;
use crate::jars::{self, Jars};
use crate::java;
use crate::kafka::Kafka;
use crate::orphans;
use crate::postgres::{self, Durability, Postgres};
use crate::process::Server;
use crate::provider::{Provider, Servers};

/// Makes sure that Java is there, and Kafka and PostgreSQL as well, fetching what is missing. The
/// caller holds the start lock of this clone's place.
///
/// # Errors
/// When one of them is not there and cannot be had.
pub fn fetch() -> Result<Jars, Failure> {
    let software = Place::of_this_clone();
    java::find()?;
    let jars = jars::find_whole(&software)?;
    postgres::programs(&software)?;
    Ok(jars)
}

/// Kafka and PostgreSQL in one folder.
#[derive(Debug)]
pub struct Local {
    kafka: Kafka,
    postgres: Postgres,
    running_kafka: Option<Server>,
    running_postgres: Option<Server>,
}

impl Local {
    /// Finds what the servers need, as [`fetch`] left it.
    ///
    /// # Errors
    /// When Java, Kafka or PostgreSQL is not there and cannot be had.
    pub fn new(place: &Place, durability: Durability) -> Result<Local, Failure> {
        let software = Place::of_this_clone();
        let folder: &Path = place.folder();
        let java = java::find()?;
        Ok(Local {
            kafka: Kafka::new(java, jars::find(&software)?, folder)?,
            postgres: Postgres::new(&software, folder, durability)?,
            running_kafka: None,
            running_postgres: None,
        })
    }
}

impl Provider for Local {
    /// Starts both at the same time: Kafka needs one of the two cores for most of a second, and
    /// PostgreSQL mostly waits for the disk.
    fn start(&mut self, progress: &mut dyn FnMut(&str)) -> Result<Servers, Failure> {
        progress(&format!(
            "taking {} and PostgreSQL {} from this machine",
            self.kafka.description(),
            self.postgres.version()
        ));
        let began = Instant::now();
        let Local { kafka, postgres, .. } = self;
        // The first failure: the other server is then given up at once.
        let failure = OnceLock::new();
        let noted = |started: Result<Server, Failure>| match started {
            Ok(server) => Some((server, began.elapsed())),
            Err(why) => {
                let _ = failure.set(why);
                None
            }
        };
        let (kafka, postgres) = std::thread::scope(|scope| {
            let kafka = scope.spawn(|| noted(kafka.start(&failure)));
            let postgres = noted(postgres.start(&failure));
            (kafka.join().expect("starting Kafka returns its failure"), postgres)
        });
        let (kafka_took, postgres_took) = match (kafka, postgres) {
            (Some((kafka, kafka_took)), Some((postgres, postgres_took))) => {
                self.running_kafka = Some(kafka);
                self.running_postgres = Some(postgres);
                (kafka_took, postgres_took)
            }
            (one, other) => {
                [one, other].into_iter().flatten().for_each(|(server, _)| server.stop());
                return Err(failure.into_inner().expect("who did not start has said why"));
            }
        };
        let (kafka_s, postgres_s) = (kafka_took.as_secs_f32(), postgres_took.as_secs_f32());
        progress(&format!("started PostgreSQL in {postgres_s:.1} s, Kafka in {kafka_s:.1} s"));
        Ok(Servers {
            bootstrap: self.kafka.address().to_string(),
            kafka_version: self.kafka.version().to_owned(),
            database_url: self.postgres.url(),
            postgres_version: self.postgres.version().to_owned(),
        })
    }

    fn lost(&mut self) -> Option<String> {
        let ended = |server: &mut Option<Server>| server.as_mut().is_some_and(|s| !s.runs());
        if ended(&mut self.running_kafka) {
            return Some("Kafka has ended by itself".to_owned());
        }
        ended(&mut self.running_postgres).then(|| "PostgreSQL has ended by itself".to_owned())
    }

    fn change(&mut self, verb: &str, name: &str) -> Result<(), Failure> {
        let running = match name {
            "kafka" => &mut self.running_kafka,
            "postgres" => &mut self.running_postgres,
            other => return Err(Failure(format!("no server is called `{other}`"))),
        };
        match (verb, running.take()) {
            ("kill", Some(server)) => {
                server.kill();
                // PostgreSQL's other processes outlive the first one for a moment.
                if name == "postgres" {
                    orphans::end(self.postgres.folder())?;
                }
            }
            ("stop", Some(server)) => server.stop(),
            ("start", None) if name == "kafka" => {
                *running = Some(self.kafka.start(&OnceLock::new())?)
            }
            ("start", None) => *running = Some(self.postgres.start(&OnceLock::new())?),
            (verb, was) => {
                let state = if was.is_some() { "runs" } else { "does not run" };
                *running = was;
                return Err(Failure(format!("cannot {verb} {name}: it {state}")));
            }
        }
        Ok(())
    }

    fn stop(&mut self) {
        let running = [self.running_kafka.take(), self.running_postgres.take()];
        running.into_iter().flatten().for_each(Server::stop);
    }
}
