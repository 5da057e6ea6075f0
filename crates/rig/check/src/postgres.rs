//! The questions to PostgreSQL, in order.

use std::io::{self, Write};
use std::time::Duration;

use rig::database::{self, Lack, in_words};
use tokio::time::timeout;
use tokio_postgres::{Client, Config};
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::need::{CONNECTIONS, Need};
use crate::report::{Answer, Report};
use crate::stop::{GONE, unless_stopped, with_removal};

/// The first version that drops a database with those who are connected to it.
const OLDEST_VERSION: i32 = 130_000;

/// A PostgreSQL that lets this user in, and how it is reached.
struct Server {
    config: Config,
    limit: Duration,
    client: Client,
}

/// Asks until a need is missing on which the others rest, and removes what it has made, also where
/// Ctrl-C ends it.
///
/// # Errors
/// When the report cannot be written, or Ctrl-C was pressed: with what the removal said.
pub async fn ask<W: Write>(
    url: &str,
    name: &str,
    limit: Duration,
    stop: &CancellationToken,
    report: &mut Report<W>,
) -> io::Result<()> {
    let server = match unless_stopped(stop, async { Ok(connect(url, limit).await) }).await? {
        Ok(server) => server,
        Err(why) => return report.tell(Need::Database, Answer::Missing(why)).map(|_| ()),
    };
    let name = rig::sql_name(name);
    match unless_stopped(stop, ask_server(&server, &name, report)).await {
        Ok(()) => Ok(()),
        Err(error) => Err(with_removal(&error, remove(&server, &name).await)),
    }
}

async fn connect(url: &str, limit: Duration) -> Result<Server, String> {
    let config = database::config(url).map_err(|error| error.0)?;
    let client = database::connect(&config, limit).await?;
    Ok(Server { config, limit, client })
}

async fn ask_server<W: Write>(
    server: &Server,
    name: &str,
    report: &mut Report<W>,
) -> io::Result<()> {
    if !report.tell(Need::Database, version(&server.client).await)? {
        return Ok(());
    }
    let lacks = match database::lacks(&server.client, server.limit).await {
        Ok(lacks) => lacks,
        Err(why) => return report.tell(Need::Writable, Answer::Missing(why)).map(|_| ()),
    };
    let writable = none_is(&lacks, |lack| *lack == Lack::Writes);
    if !report.tell(Need::Writable, writable.map(|()| "yes".to_owned()))? {
        return Ok(());
    }
    report.tell(Need::Schemas, schemas(&server.client, &lacks, name).await)?;
    report.tell(Need::Databases, databases(&server.client, &lacks, name).await)?;
    let encoding = none_is(&lacks, |lack| matches!(lack, Lack::Encoding(_) | Lack::NewEncoding(_)));
    report.tell(Need::Encoding, encoding.map(|()| "yes".to_owned()))?;
    report.tell(Need::Connections, connections(server).await)?;
    report.tell(Need::PostgresClock, clock_of_postgres(&server.client).await)?;
    Ok(())
}

/// The sentence of the first lack of a kind.
fn none_is(lacks: &[Lack], kind: impl Fn(&Lack) -> bool) -> Result<(), String> {
    let found = lacks.iter().find(|lack| kind(lack));
    found.map_or(Ok(()), |lack| Err(lack.to_string()))
}

async fn schemas(client: &Client, lacks: &[Lack], name: &str) -> Result<String, String> {
    none_is(lacks, |lack| *lack == Lack::Schemas)?;
    made_and_dropped(client, [format!("CREATE SCHEMA {name}"), format!("DROP SCHEMA {name}")]).await
}

/// As tests make theirs.
async fn databases(client: &Client, lacks: &[Lack], name: &str) -> Result<String, String> {
    none_is(lacks, |lack| *lack == Lack::Databases)?;
    let make = format!("CREATE DATABASE {name} TEMPLATE template0");
    made_and_dropped(client, [make, format!("DROP DATABASE {name} WITH (FORCE)")]).await
}

async fn made_and_dropped(client: &Client, [make, drop]: [String; 2]) -> Result<String, String> {
    client.batch_execute(&make).await.map_err(|error| in_words(&error))?;
    let dropped = client.batch_execute(&drop).await;
    dropped.map_err(|error| format!("made, but not dropped: it {}", in_words(&error)))?;
    Ok("made and dropped".to_owned())
}

/// Removes what an interruption may have left. It waits for the statement that was at work.
///
/// # Errors
/// With a sentence that names what may stay.
async fn remove(server: &Server, name: &str) -> Result<String, String> {
    let (client, limit) = (&server.client, server.limit);
    let dropped = async {
        client.batch_execute(&format!("DROP SCHEMA IF EXISTS {name}")).await?;
        client.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await
    };
    let stays = |why| format!("a schema and a database {name} may stay: PostgreSQL {why}");
    match timeout(limit, dropped).await {
        Ok(Ok(())) => Ok(GONE.to_owned()),
        Ok(Err(error)) => Err(stays(in_words(&error))),
        Err(_) => Err(stays(format!("did not answer within {} s", limit.as_secs()))),
    }
}

/// The one value of the one row of a question.
async fn text(client: &Client, question: &str) -> Result<String, String> {
    let row = client.query_one(question, &[]).await;
    row.and_then(|row| row.try_get(0)).map_err(|error| in_words(&error))
}

async fn version(client: &Client) -> Result<String, String> {
    let version = text(client, "SELECT current_setting('server_version')").await?;
    let number = text(client, "SELECT current_setting('server_version_num')").await?;
    match number.parse::<i32>() {
        Ok(number) if number >= OLDEST_VERSION => Ok(format!("version {version} lets you in")),
        _ => Err(format!("version {version}, expected 13 or newer; use a newer server")),
    }
}

/// Opens as many as tests do, this check's own among them.
async fn connections(server: &Server) -> Result<String, String> {
    let mut further = Vec::new();
    while further.len() + 1 < CONNECTIONS {
        let connected = database::connect(&server.config, server.limit).await;
        let refused =
            |why| format!("expected {CONNECTIONS}, found {}: PostgreSQL {why}", further.len() + 1);
        further.push(connected.map_err(refused)?);
    }
    Ok(format!("{CONNECTIONS} at once"))
}

async fn clock_of_postgres(client: &Client) -> Answer {
    let question = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint::text";
    let before_ms = clock::now_ms();
    let told = text(client, question).await;
    match told.and_then(|text| text.parse::<i64>().map_err(|error| error.to_string())) {
        Ok(ms) => clock::compare(before_ms, ms, clock::now_ms()),
        Err(why) => Answer::Note(format!("not known: {why}")),
    }
}
