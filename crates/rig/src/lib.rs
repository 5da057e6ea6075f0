//! Kafka and PostgreSQL for tests and runs: the thin client.

use rdkafka::ClientConfig;
use thiserror::Error;

/// A Kafka and a PostgreSQL that are up, and how to reach them.
#[derive(Debug, Clone)]
pub struct Rig {
    kafka_bootstrap: String,
    database_url: String,
}

/// Why no Kafka or no PostgreSQL could be had: one sentence with its fix.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct RigError(pub String);

impl Rig {
    /// Finds a running Kafka and PostgreSQL, or starts them.
    ///
    /// # Errors
    /// When no provider can serve; the sentence says why and what to do.
    pub fn up() -> Result<Rig, RigError> {
        let var =
            |name: &str| std::env::var(name).map_err(|_| RigError(format!("{name} is not set")));
        Ok(Rig {
            kafka_bootstrap: var("KAFKA_BOOTSTRAP_SERVERS")?,
            database_url: var("DATABASE_URL")?,
        })
    }

    /// What every Kafka client starts from: the brokers' addresses and how to speak to them.
    pub fn kafka(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.kafka_bootstrap);
        config
    }

    /// What every name on the servers begins with; empty where they are ours alone.
    pub fn prefix(&self) -> &str {
        ""
    }

    /// The address of a database whose user may create further databases.
    pub fn database_url(&self) -> &str {
        &self.database_url
    }
}
