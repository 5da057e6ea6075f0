//! Servers that the environment names.

use crate::RigError;
use crate::cluster::{Cluster, Provider};
use crate::env_file::Variables;
use crate::security;
use crate::setting::parsed_setting;

const SERVERS: &str = "KAFKA_BOOTSTRAP_SERVERS";
const DATABASE: &str = "DATABASE_URL";
const PREFIX: &str = "TIDEMARK_PREFIX";

/// Reads `KAFKA_BOOTSTRAP_SERVERS` and `DATABASE_URL`, and what goes with them, from the environment
/// and from `.env`; `None` when neither is set and nothing forces this provider.
///
/// # Errors
/// When only one of the two is set, when `DATABASE_URL` is no URL, when `TIDEMARK_RIG` has a value
/// that it cannot have; those of [`Variables::read`] and [`security::client_settings`].
pub fn from_environment() -> Result<Option<Cluster>, RigError> {
    let forced = forced()?;
    if matches!(forced, Some(Provider::Containers | Provider::Local)) {
        return Ok(None);
    }
    let known = [&[SERVERS, DATABASE, PREFIX][..], &security::VARIABLES].concat();
    let variables = Variables::read(&known)?;
    match (variables.text(SERVERS), variables.text(DATABASE)) {
        (Some(servers), Some(database_url)) => cluster(servers, database_url, &variables).map(Some),
        (None, None) if forced.is_none() => Ok(None),
        (Some(_), None) => Err(missing(DATABASE)),
        (None, _) => Err(missing(SERVERS)),
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
    RigError(format!("{name} is not set; a cluster of your own needs {SERVERS} and {DATABASE}"))
}

fn cluster(
    servers: String,
    database_url: String,
    variables: &Variables,
) -> Result<Cluster, RigError> {
    if !["postgres://", "postgresql://"].iter().any(|scheme| database_url.starts_with(scheme)) {
        // Not quoted: whatever it is, there may be a password in it.
        return Err(RigError(format!("{DATABASE} must begin with postgresql://")));
    }
    let mut kafka = vec![("bootstrap.servers".to_owned(), servers)];
    kafka.extend(security::client_settings(|name| variables.text(name))?);
    Ok(Cluster {
        provider: Provider::External,
        kafka,
        kafka_version: "unknown".to_owned(),
        database_url,
        postgres_version: "unknown".to_owned(),
        prefix: variables.text(PREFIX).unwrap_or_default(),
        control: None,
        token: String::new(),
    })
}
