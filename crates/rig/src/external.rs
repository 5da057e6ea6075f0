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

/// A word and one `.` at its end, so that no prefix begins another: rights to `amelia` would be rights to all
/// names of `amelia2`, and rights to `amelia-` to those of `amelia-b-`. The schemas of two prefixes have two
/// names, which need no quotes in SQL. Short enough for PostgreSQL's 63 bytes.
fn check_prefix(prefix: &str) -> Result<(), RigError> {
    let is_good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase()) && word.chars().all(is_good)
    };
    let fits = prefix.len() <= MAX_PREFIX_BYTES && prefix.strip_suffix('.').is_some_and(is_word);
    if prefix.is_empty() || fits {
        return Ok(());
    }
    Err(RigError(format!(
        "{PREFIX} is `{prefix}`, expected small letters, digits and `-`, a letter first, then one `.`, \
         at most {MAX_PREFIX_BYTES} in all, so that no learner's prefix begins another's; `amelia.` for example"
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

    const GOOD: [&str; 4] = ["ann.", "ann2.", "ann-b.", "class-7."];

    #[test]
    fn a_prefix_is_one_short_word_with_an_end() {
        for good in GOOD.into_iter().chain([""]) {
            assert_eq!(check_prefix(good), Ok(()));
        }
        let too_long = "a".repeat(MAX_PREFIX_BYTES) + ".";
        for bad in [".", "-ann.", "7.", "ánn.", "new/york.", "a b.", &too_long] {
            is_refused(bad);
        }
    }

    /// Each of the refused ones begins a good one, or has its schemas.
    #[test]
    fn no_prefix_begins_another_one_or_shares_its_schemas() {
        for one in GOOD {
            for other in GOOD.into_iter().filter(|other| *other != one) {
                assert!(!other.starts_with(one), "`{one}` begins `{other}`");
                assert_ne!(crate::schema_name(one, ""), crate::schema_name(other, ""));
            }
        }
        for bad in ["ann", "ann-", "ann_", "ann.b.", "Ann.", "ann_b."] {
            is_refused(bad);
        }
    }

    #[track_caller]
    fn is_refused(prefix: &str) {
        let sentence = check_prefix(prefix).unwrap_err().0;
        let expected =
            format!("TIDEMARK_PREFIX is `{prefix}`, expected small letters, digits and ");
        assert!(sentence.starts_with(&expected), "{sentence}");
    }
}
