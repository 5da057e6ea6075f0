//! The questions to PostgreSQL, in order.

use std::error::Error as _;
use std::io::{self, ErrorKind, Write};
use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::{Client, Error, NoTls};

use crate::clock;
use crate::need::Need;
use crate::report::{Answer, Report};

/// The first version that drops a database with those who are connected to it.
const OLDEST_VERSION: i32 = 130_000;

/// So many connections do tests have at once.
const CONNECTIONS: usize = 20;

/// Asks until a need is missing on which the others rest, and removes what it has made, also where
/// Ctrl-C ends it.
///
/// # Errors
/// When the report cannot be written, or Ctrl-C was pressed.
pub async fn ask<W: Write>(
    url: &str,
    name: &str,
    limit: Duration,
    report: &mut Report<W>,
) -> io::Result<()> {
    let database = match connect(url, limit).await {
        Ok(database) => database,
        Err(why) => return report.tell(Need::Database, Answer::Missing(why)).map(|_| ()),
    };
    if !report.tell(Need::Database, version(&database).await)? {
        return Ok(());
    }
    if !report.tell(Need::Writable, writable(&database).await)? {
        return Ok(());
    }
    // As the rig makes them from a prefix: no quotes needed.
    let name = name.to_ascii_lowercase().replace(['.', '-'], "_");
    let asked = tokio::select! {
        asked = ask_for_names(&database, &name, report) => asked,
        _ = tokio::signal::ctrl_c() => Err(ErrorKind::Interrupted.into()),
    };
    if asked.is_err() {
        remove(&database, &name).await;
    }
    asked?;
    report.tell(Need::Connections, connections(url, limit).await)?;
    report.tell(Need::PostgresClock, clock_of_postgres(&database).await)?;
    Ok(())
}

async fn ask_for_names<W: Write>(
    database: &Client,
    name: &str,
    report: &mut Report<W>,
) -> io::Result<()> {
    let schema = [format!("CREATE SCHEMA {name}"), format!("DROP SCHEMA {name}")];
    report.tell(Need::Schemas, made_and_dropped(database, &schema, "ON DATABASE").await)?;
    let made = database.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0")).await;
    if let Err(error) = made {
        let why = format!("{}; ask for CREATEDB for your user", reason(&error));
        return report.tell(Need::Databases, Answer::Missing(why)).map(|_| ());
    }
    let encoding = encoding(database, name).await;
    let dropped = database.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await;
    let dropped = dropped
        .map(|()| "made and dropped".to_owned())
        .map_err(|error| format!("{name} stays: {}", reason(&error)));
    report.tell(Need::Databases, dropped)?;
    report.tell(Need::Encoding, encoding)?;
    Ok(())
}

async fn connect(url: &str, limit: Duration) -> Result<Client, String> {
    let connected = timeout(limit, tokio_postgres::connect(url, NoTls)).await;
    let (client, connection) =
        connected.map_err(|_| format!("no answer within {} s", limit.as_secs()))?.map_err(
            |error| format!("does not let you in: {}; is DATABASE_URL right?", reason(&error)),
        )?;
    // It ends when its client is dropped.
    tokio::spawn(connection);
    Ok(client)
}

/// What an interruption may have left.
async fn remove(database: &Client, name: &str) {
    for what in ["SCHEMA", "DATABASE"] {
        let _ = database.batch_execute(&format!("DROP {what} IF EXISTS {name}")).await;
    }
}

/// In PostgreSQL's words, which hold no password.
fn reason(error: &Error) -> String {
    match error.as_db_error() {
        Some(said) => said.message().to_owned(),
        None => error.source().map_or(error.to_string(), ToString::to_string),
    }
}

/// The one value of the one row of a question.
async fn text(database: &Client, question: &str) -> Result<String, String> {
    let row = database.query_one(question, &[]).await;
    row.and_then(|row| row.try_get(0)).map_err(|error| reason(&error))
}

async fn version(database: &Client) -> Result<String, String> {
    let version = text(database, "SELECT current_setting('server_version')").await?;
    let number = text(database, "SELECT current_setting('server_version_num')").await?;
    match number.parse::<i32>() {
        Ok(number) if number >= OLDEST_VERSION => Ok(format!("version {version} lets you in")),
        _ => Err(format!("version {version}, expected 13 or newer; use a newer server")),
    }
}

async fn writable(database: &Client) -> Result<String, String> {
    match text(database, "SELECT current_setting('transaction_read_only')").await?.as_str() {
        "off" => Ok("yes".to_owned()),
        _ => Err("it is read-only: a standby, or default_transaction_read_only is on; name the server that \
             takes writes in DATABASE_URL"
            .to_owned()),
    }
}

async fn made_and_dropped(
    database: &Client,
    [make, drop]: &[String; 2],
    right: &str,
) -> Result<String, String> {
    let made = database.batch_execute(make).await;
    made.map_err(|error| format!("{}; ask for CREATE {right} for your user", reason(&error)))?;
    let dropped = database.batch_execute(drop).await;
    dropped.map_err(|error| format!("made, but not dropped: {}", reason(&error)))?;
    Ok("made and dropped".to_owned())
}

/// Of this database, where runs write, and of a new one, where tests do.
async fn encoding(database: &Client, name: &str) -> Result<String, String> {
    let question = format!(
        "SELECT string_agg(DISTINCT pg_encoding_to_char(encoding), ', ') FROM pg_database \
         WHERE datname IN (current_database(), '{name}')"
    );
    match text(database, &question).await?.as_str() {
        "UTF8" => Ok("yes".to_owned()),
        found => Err(format!(
            "expected UTF8, found {found}; use a server made with `initdb --encoding UTF8`"
        )),
    }
}

async fn connections(url: &str, limit: Duration) -> Result<String, String> {
    let mut held = Vec::new();
    while held.len() < CONNECTIONS {
        match connect(url, limit).await {
            Ok(connection) => held.push(connection),
            Err(why) => {
                return Err(format!(
                    "{} beside the first, then {why}; raise max_connections or your user's limit",
                    held.len()
                ));
            }
        }
    }
    Ok("free".to_owned())
}

async fn clock_of_postgres(database: &Client) -> Answer {
    let question = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint::text";
    let before_ms = clock::now_ms();
    let told = text(database, question).await;
    match told.and_then(|text| text.parse::<i64>().map_err(|error| error.to_string())) {
        Ok(ms) => clock::compare(before_ms, ms, clock::now_ms()),
        Err(why) => Answer::Note(format!("not known: {why}")),
    }
}
