//! Whether the database that the environment names lets this user in and is one that the labs can use.
//!
//! With the feature `database` alone: a lab without a database does without PostgreSQL's client.

use std::time::Duration;

use thiserror::Error;
use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, Error, NoTls};

use crate::RigError;

/// What the labs need: text in any language, here and in databases made anew, writes, and the rights to
/// make databases and schemas.
const QUESTIONS: &str = "
    SELECT current_setting('server_encoding'),
           (SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'template0'),
           current_setting('transaction_read_only') = 'on',
           (SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user),
           has_database_privilege(current_database(), 'CREATE')";

/// The only encoding that has every letter.
const ENCODING: &str = "UTF8";

/// What a database lacks that the labs need. Its text follows where the database is.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Lack {
    /// The database is in this encoding.
    #[error(
        "has a database in {0}, expected {ENCODING}; make one with `createdb --encoding={ENCODING} \
         --template=template0 NAME`, and name it in DATABASE_URL"
    )]
    Encoding(String),
    /// New databases, as tests make them, are in this encoding.
    #[error(
        "makes databases in {0}, expected {ENCODING}; name a server in DATABASE_URL that was made with \
         `initdb --encoding={ENCODING}`"
    )]
    NewEncoding(String),
    /// Nothing can be written.
    #[error(
        "is read-only; name a server in DATABASE_URL that takes writes, or ask who runs it to turn \
         default_transaction_read_only off"
    )]
    Writes,
    /// The user may not make databases.
    #[error(
        "does not let you make databases, and each test makes one; ask who runs it for CREATEDB"
    )]
    Databases,
    /// The user may not make schemas.
    #[error(
        "does not let you make schemas, and each run makes one; ask who runs it for CREATE on the database"
    )]
    Schemas,
}

/// Logs in and asks, in a statement that changes nothing. `address` is for people.
///
/// # Errors
/// When the database does not let this user in, or not within `limit`; when it [lacks](Lack) something.
/// No error holds the password.
pub fn ask(url: &str, address: &str, limit: Duration) -> Result<(), RigError> {
    let refused = |why: String| RigError(format!("PostgreSQL at {address} {why}"));
    let config = config(url)?;
    // The caller may be at work in a runtime of its own, which must not be blocked from within.
    let asked = std::thread::scope(|scope| scope.spawn(|| first_lack(&config, limit)).join());
    match asked {
        Ok(Ok(lack)) => lack.map_or(Ok(()), |lack| Err(refused(lack.to_string()))),
        Ok(Err(why)) => Err(refused(why)),
        Err(_) => Err(refused("could not be asked".to_owned())),
    }
}

fn first_lack(config: &Config, limit: Duration) -> Result<Option<Lack>, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("could not be asked: {error}"))?;
    runtime.block_on(async {
        let client = connect(config, limit).await?;
        Ok(lacks(&client, limit).await?.into_iter().next())
    })
}

/// What `DATABASE_URL` says.
///
/// # Errors
/// When it cannot be read. It is not quoted, since there may be a password in it.
pub fn config(url: &str) -> Result<Config, RigError> {
    url.parse().map_err(|_| {
        RigError(
            "DATABASE_URL cannot be read, expected postgresql://user:password@host:port/database; other \
             characters than letters and digits in the password are written as % codes"
                .to_owned(),
        )
    })
}

/// Logs in, in a Tokio runtime. The connection ends when the client is dropped.
///
/// # Errors
/// When the database does not let this user in, or not within `limit`: with what follows where it is.
pub async fn connect(config: &Config, limit: Duration) -> Result<Client, String> {
    let connected = timeout(limit, config.connect(NoTls)).await.map_err(|_| silent(limit))?;
    let (client, connection) = connected.map_err(|error| in_words(&error))?;
    tokio::spawn(connection);
    Ok(client)
}

/// Asks for all that the labs need. Gives what is missing, the gravest first.
///
/// # Errors
/// When the database does not answer within `limit`, or refuses to: with what follows where it is.
pub async fn lacks(client: &Client, limit: Duration) -> Result<Vec<Lack>, String> {
    let answered = timeout(limit, client.query_one(QUESTIONS, &[])).await;
    let row = answered.map_err(|_| silent(limit))?.map_err(|error| in_words(&error))?;
    let (encoding, new_encoding): (String, String) = (row.get(0), row.get(1));
    let (is_read_only, makes_databases, makes_schemas): (bool, bool, bool) =
        (row.get(2), row.get(3), row.get(4));
    let other_encoding = encoding != ENCODING;
    let other_new_encoding = new_encoding != ENCODING;
    let all = [
        other_encoding.then_some(Lack::Encoding(encoding)),
        is_read_only.then_some(Lack::Writes),
        other_new_encoding.then_some(Lack::NewEncoding(new_encoding)),
        (!makes_databases).then_some(Lack::Databases),
        (!makes_schemas).then_some(Lack::Schemas),
    ];
    Ok(all.into_iter().flatten().collect())
}

fn silent(limit: Duration) -> String {
    format!("did not answer within {} s; is it overloaded?", limit.as_secs())
}

/// What PostgreSQL said, as the end of a sentence that begins with where it is, with its fix.
pub fn in_words(error: &Error) -> String {
    let Some(refusal) = error.as_db_error() else {
        return format!("cannot be used: {}", first_cause(error));
    };
    let said = refusal.message();
    match *refusal.code() {
        SqlState::INVALID_PASSWORD => {
            "refused to log you in; are user and password in DATABASE_URL right, \
             and other characters than letters and digits written as % codes?"
                .to_owned()
        }
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION => format!(
            "refused to log you in ({said}); ask who runs it for LOGIN for your user, and for an entry in \
             pg_hba.conf that lets it in from this machine without TLS, as the labs speak"
        ),
        SqlState::INVALID_CATALOG_NAME => {
            format!("has no such database ({said}); make it, or name another one in DATABASE_URL")
        }
        SqlState::TOO_MANY_CONNECTIONS => format!(
            "takes no more connections ({said}); end some, or ask who runs it to raise the limit of \
             server, database or user"
        ),
        SqlState::DISK_FULL | SqlState::CONFIGURATION_LIMIT_EXCEEDED => {
            format!("has no room left ({said}); make room on its disk, or ask who runs it for more")
        }
        SqlState::READ_ONLY_SQL_TRANSACTION => {
            format!("is read-only ({said}); name a server in DATABASE_URL that takes writes")
        }
        SqlState::INSUFFICIENT_PRIVILEGE => {
            format!("does not let you do this ({said}); ask who runs it for this right")
        }
        _ => format!("refused: {said}"),
    }
}

fn first_cause(error: &Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_is_none_is_not_shown() {
        let secret = "a-secret-word";
        let url = format!("postgresql://me:{secret}@host:no-port/db");
        let sentence = ask(&url, "host", Duration::from_secs(1)).unwrap_err().0;
        assert!(sentence.starts_with("DATABASE_URL cannot be read, expected"), "{sentence}");
        assert!(!sentence.contains(secret), "{sentence}");
    }
}
