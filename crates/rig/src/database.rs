//! Whether the database that the environment names lets this user in and is one that the labs can use.
//!
//! With the feature `database` alone: a lab without a database does without PostgreSQL's client.

use std::time::Duration;

use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, Error, NoTls};

use crate::RigError;

/// What the labs need: text in any language, writes, and the rights to make databases and schemas.
const QUESTIONS: &str = "
    SELECT current_setting('server_encoding'),
           current_setting('transaction_read_only') = 'on',
           (SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user),
           has_database_privilege(current_database(), 'CREATE')";

/// Logs in and asks, in a statement that changes nothing. `address` is for people.
///
/// # Errors
/// When the database does not let this user in, or not within `limit`; when it is in another encoding
/// than UTF-8 or read-only; when the user may not make databases or schemas. No error holds the password.
pub fn ask(url: &str, address: &str, limit: Duration) -> Result<(), RigError> {
    let refused = |why: String| RigError(format!("PostgreSQL at {address} {why}"));
    let config: Config = url.parse().map_err(|_| {
        RigError(
            "DATABASE_URL cannot be read, expected postgresql://user:password@host:port/database; other \
             characters than letters and digits in the password are written as % codes"
                .to_owned(),
        )
    })?;
    // The caller may be at work in a runtime of its own, which must not be blocked from within.
    let asked = std::thread::scope(|scope| scope.spawn(|| answer(&config, limit)).join());
    match asked {
        Ok(Ok(why)) => why.map_or(Ok(()), |why| Err(refused(why))),
        Ok(Err(why)) => Err(refused(why)),
        Err(_) => Err(refused("could not be asked".to_owned())),
    }
}

fn answer(config: &Config, limit: Duration) -> Result<Option<String>, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("could not be asked: {error}"))?;
    let answered = runtime.block_on(async { tokio::time::timeout(limit, asked(config)).await });
    match answered {
        Ok(answer) => answer.map_err(|error| in_words(&error)),
        Err(_) => Err(format!("did not answer within {} s; is it overloaded?", limit.as_secs())),
    }
}

async fn asked(config: &Config) -> Result<Option<String>, Error> {
    let (client, connection) = config.connect(NoTls).await?;
    // It ends when its client is dropped.
    tokio::spawn(connection);
    what_is_missing(&client).await
}

async fn what_is_missing(client: &Client) -> Result<Option<String>, Error> {
    let row = client.query_one(QUESTIONS, &[]).await?;
    let encoding: String = row.get(0);
    let (is_read_only, makes_databases, makes_schemas) = (row.get(1), row.get(2), row.get(3));
    Ok(match (is_read_only, makes_databases, makes_schemas) {
        _ if encoding != "UTF8" => Some(format!(
            "has a database in {encoding}, expected UTF8; make one with `createdb --encoding=UTF8 \
             --template=template0 NAME`, and name it in DATABASE_URL"
        )),
        (true, ..) => Some(
            "is read-only; name a server in DATABASE_URL that takes writes, or ask who runs it to turn \
             default_transaction_read_only off"
                .to_owned(),
        ),
        (_, false, _) => Some(
            "does not let you make databases, and each test makes one; ask who runs it for CREATEDB"
                .to_owned(),
        ),
        (.., false) => Some(
            "does not let you make schemas, and each run makes one; ask who runs it for CREATE on the \
             database"
                .to_owned(),
        ),
        _ => None,
    })
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
            "refused to log you in ({said}); the labs speak to it without TLS: ask who runs it whether it \
             takes that"
        ),
        SqlState::INVALID_CATALOG_NAME => {
            format!("does not have it ({said}); make it, or name another one in DATABASE_URL")
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
