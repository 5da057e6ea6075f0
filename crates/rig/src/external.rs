//! Servers that the environment names.

use crate::RigError;
use crate::cluster::{Cluster, Provider};
use crate::env_file::Variables;
use crate::replication;
use crate::security;
use crate::setting::parsed_setting;

const SERVERS: &str = "KAFKA_BOOTSTRAP_SERVERS";
const DATABASE: &str = "DATABASE_URL";
const PREFIX: &str = "TIDEMARK_PREFIX";

const MAX_PREFIX_BYTES: usize = 24;

/// Reads `KAFKA_BOOTSTRAP_SERVERS` and `DATABASE_URL`, and what goes with them, from the environment
/// and from `.env`; `None` when neither is set and nothing forces this provider.
///
/// # Errors
/// When only one of the two is set, when `DATABASE_URL` is no URL, when `TIDEMARK_RIG` has a value
/// that it cannot have; those of [`Variables::read`], [`replication::wanted`] and [`security::client_settings`].
pub fn from_environment() -> Result<Option<Cluster>, RigError> {
    let forced = forced()?;
    if matches!(forced, Some(Provider::Containers | Provider::Local)) {
        return Ok(None);
    }
    let known =
        [&[SERVERS, DATABASE, PREFIX, replication::VARIABLE][..], &security::VARIABLES].concat();
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

/// What Kafka takes in a name, short enough for PostgreSQL's 63 bytes, and with an end: `amelia` would
/// also begin the names of `amelia2`.
fn check_prefix(prefix: &str) -> Result<(), RigError> {
    let is_good = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    let has_an_end = prefix.ends_with(['.', '-', '_']) && !prefix.starts_with(['.', '-', '_']);
    let fits = prefix.len() <= MAX_PREFIX_BYTES && prefix.chars().all(is_good) && has_an_end;
    if prefix.is_empty() || fits {
        return Ok(());
    }
    Err(RigError(format!(
        "{PREFIX} is `{prefix}`, expected at most {MAX_PREFIX_BYTES} letters, digits, `.`, `-` and `_`, \
         the last one of these three and the first one not; `amelia.` for example"
    )))
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
    let prefix = variables.text(PREFIX).unwrap_or_default();
    check_prefix(&prefix)?;
    let mut kafka = vec![("bootstrap.servers".to_owned(), servers)];
    kafka.extend(security::client_settings(|name| variables.text(name))?);
    Ok(Cluster {
        provider: Provider::External,
        kafka,
        kafka_version: "unknown".to_owned(),
        database_url,
        postgres_version: "unknown".to_owned(),
        prefix,
        replication: replication::wanted(variables)?,
        control: None,
        token: String::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_short_and_has_an_end() {
        for good in ["", "amelia.", "class-7_"] {
            assert_eq!(check_prefix(good), Ok(()));
        }
        let too_long = "a".repeat(MAX_PREFIX_BYTES) + ".";
        for bad in ["amelia", ".", "_amelia.", "amélia.", "new/york.", "a b.", &too_long] {
            let sentence = check_prefix(bad).unwrap_err().0;
            let expected = format!("TIDEMARK_PREFIX is `{bad}`, expected at most 24 letters, ");
            assert!(sentence.starts_with(&expected), "{sentence}");
        }
    }
}
