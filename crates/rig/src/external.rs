//! Servers that the environment names.

use std::env;

use crate::RigError;
use crate::cluster::{Cluster, Provider};

/// Reads `KAFKA_BOOTSTRAP_SERVERS` and `DATABASE_URL`; `None` when neither is set and nothing
/// forces this provider.
///
/// # Errors
/// When only one of the two is set, or when `TIDEMARK_RIG` has a value that it cannot have.
pub fn from_environment() -> Result<Option<Cluster>, RigError> {
    let forced = env::var("TIDEMARK_RIG").unwrap_or_default();
    match forced.as_str() {
        "" | "external" => {}
        "containers" | "local" => return Ok(None),
        other => {
            return Err(RigError(format!(
                "TIDEMARK_RIG is `{other}`, expected external, containers or local"
            )));
        }
    }
    let named = |name| env::var(name).ok().filter(|value| !value.is_empty());
    match (named("KAFKA_BOOTSTRAP_SERVERS"), named("DATABASE_URL")) {
        (Some(servers), Some(database_url)) => Ok(Some(cluster(servers, database_url))),
        (None, None) if forced.is_empty() => Ok(None),
        (Some(_), None) => Err(missing("DATABASE_URL")),
        (None, _) => Err(missing("KAFKA_BOOTSTRAP_SERVERS")),
    }
}

fn missing(name: &str) -> RigError {
    RigError(format!(
        "{name} is not set; a cluster of your own needs KAFKA_BOOTSTRAP_SERVERS and DATABASE_URL"
    ))
}

fn cluster(servers: String, database_url: String) -> Cluster {
    Cluster {
        provider: Provider::External,
        kafka: vec![("bootstrap.servers".to_owned(), servers)],
        kafka_version: "unknown".to_owned(),
        database_url,
        postgres_version: "unknown".to_owned(),
        prefix: env::var("TIDEMARK_PREFIX").unwrap_or_default(),
        control: None,
        token: String::new(),
    }
}
