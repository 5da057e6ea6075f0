//! Servers that are up: what the rig's program writes and this client reads.

use std::fmt;
use std::net::SocketAddr;

use rdkafka::ClientConfig;
use serde::{Deserialize, Serialize};

use crate::place::Place;
use crate::probe;

/// Where the servers come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// The environment names them.
    External,
    /// They run in containers.
    Containers,
    /// They run on this machine.
    Local,
}

/// A Kafka and a PostgreSQL that are up.
#[derive(Clone, Serialize, Deserialize)]
pub struct Cluster {
    /// Where they come from.
    pub provider: Provider,
    /// The settings of a Kafka client that reach the brokers.
    pub kafka: Vec<(String, String)>,
    /// Kafka's version; `unknown` for an external one.
    pub kafka_version: String,
    /// The address of a database whose user may create further databases. Holds a password.
    pub database_url: String,
    /// PostgreSQL's version; `unknown` for an external one.
    pub postgres_version: String,
    /// What every name of a test begins with.
    pub prefix: String,
    /// Where the program that keeps them listens; `None` where there is no such program.
    pub control: Option<SocketAddr>,
    /// What the program wants to hear first, so that no other program is taken for it.
    pub token: String,
}

impl Cluster {
    /// Reads what the program wrote in this place; `None` where there is nothing to read.
    pub fn read(place: &Place) -> Option<Cluster> {
        let text = std::fs::read(place.cluster_file()).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// What every Kafka client starts from.
    pub fn kafka(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        for (name, value) in &self.kafka {
            config.set(name, value);
        }
        config
    }

    /// The brokers' addresses.
    pub fn bootstrap(&self) -> &str {
        let setting = self.kafka.iter().find(|(name, _)| name == "bootstrap.servers");
        setting.map_or("", |(_, servers)| servers)
    }

    /// The database's address without its password, for people.
    pub fn database_address(&self) -> &str {
        let after_user = self.database_url.rsplit('@').next().unwrap_or("");
        after_user.split(['/', '?']).next().unwrap_or("")
    }

    /// Whether both servers, on this machine, answer at this moment.
    pub fn answers(&self) -> bool {
        let kafka = self.bootstrap().parse().is_ok_and(probe::kafka_answers);
        kafka && self.database_address().parse().is_ok_and(probe::postgres_answers)
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Provider::External => "external",
            Provider::Containers => "containers",
            Provider::Local => "local",
        })
    }
}

impl fmt::Display for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Kafka {} at {}, PostgreSQL {} at {}",
            self.kafka_version,
            self.bootstrap(),
            self.postgres_version,
            self.database_address()
        )
    }
}

/// Leaves out what is secret, so that a failed assertion can print a cluster.
impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cluster({self})")
    }
}
