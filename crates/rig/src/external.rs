//! Servers that the environment names.

use crate::RigError;
use crate::cluster::{Cluster, Provider};
use crate::setting::{parsed_setting, text_setting};

/// Reads `KAFKA_BOOTSTRAP_SERVERS` and `DATABASE_URL`; `None` when neither is set and nothing
/// forces this provider.
///
/// # Errors
/// When only one of the two is set, when `DATABASE_URL` is no URL, or when `TIDEMARK_RIG` has a
/// value that it cannot have.
pub fn from_environment() -> Result<Option<Cluster>, RigError> {
    let forced = forced()?;
    if matches!(forced, Some(Provider::Containers | Provider::Local)) {
        return Ok(None);
    }
    match (text_setting("KAFKA_BOOTSTRAP_SERVERS"), text_setting("DATABASE_URL")) {
        (Some(servers), Some(database_url)) => cluster(servers, database_url).map(Some),
        (None, None) if forced.is_none() => Ok(None),
        (Some(_), None) => Err(missing("DATABASE_URL")),
        (None, _) => Err(missing("KAFKA_BOOTSTRAP_SERVERS")),
    }
}

/// The provider that `TIDEMARK_RIG` forces, if it does.
///
/// # Errors
/// When it has a value that it cannot have.
pub fn forced() -> Result<Option<Provider>, RigError> {
    parsed_setting("TIDEMARK_RIG", "external, containers or local")
}

fn missing(name: &str) -> RigError {
    RigError(format!(
        "{name} is not set; a cluster of your own needs KAFKA_BOOTSTRAP_SERVERS and DATABASE_URL"
    ))
}

fn cluster(servers: String, database_url: String) -> Result<Cluster, RigError> {
    if !["postgres://", "postgresql://"].iter().any(|scheme| database_url.starts_with(scheme)) {
        // Not quoted: whatever it is, there may be a password in it.
        return Err(RigError("DATABASE_URL must begin with postgresql://".to_owned()));
    }
    Ok(Cluster {
        provider: Provider::External,
        kafka: vec![("bootstrap.servers".to_owned(), servers)],
        kafka_version: "unknown".to_owned(),
        database_url,
        postgres_version: "unknown".to_owned(),
        prefix: text_setting("TIDEMARK_PREFIX").unwrap_or_default(),
        control: None,
        token: String::new(),
    })
}
