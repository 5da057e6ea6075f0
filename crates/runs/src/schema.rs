//! A schema of the database that is the run's own.
//!
//! Every lab has a table `processed_events` or another name that a later lab takes again. Each run
//! has its tables in a schema of its own, `lab02` for lab 02, so that no lab overwrites another's
//! and SQL in the book needs no prefix: the connection's search path is that schema.

use std::error::Error as _;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rig::Rig;
use thiserror::Error;
use tokio_postgres::config::Host;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, Error, NoTls};

/// PostgreSQL cuts longer identifiers without a word.
const MAX_NAME_BYTES: usize = 63;

/// A schema that is there, and the address under which its tables are found.
#[derive(Clone)]
pub struct RunSchema {
    name: String,
    url: String,
}

/// Why the schema or one of its tables could not be had.
#[derive(Debug, Error)]
pub enum SchemaError {
    /// The name of the schema is none that PostgreSQL keeps.
    #[error("schema name of {found} bytes, expected 1 to {MAX_NAME_BYTES} and none of them 0")]
    Name {
        /// The length of the name.
        found: usize,
    },
    /// The address of the database cannot be read. It is not shown: there may be a password in it.
    #[error("the address of the database cannot be read: {}", reason(.0))]
    Address(Error),
    /// The database does not take a connection.
    #[error("no database at {address}: {}", reason(.source))]
    Connect {
        /// Host and port.
        address: String,
        /// The client's reason.
        source: Error,
    },
    /// The database refused a statement.
    #[error("schema `{schema}`: {}", reason(.source))]
    Refused {
        /// The schema.
        schema: String,
        /// The database's reason.
        source: Error,
    },
}

impl RunSchema {
    /// Makes the schema of a run in the rig's database, with the rig's prefix before its name.
    ///
    /// # Errors
    /// Those of [`open`](RunSchema::open).
    pub async fn of_run(rig: &Rig, name: &str) -> Result<RunSchema, SchemaError> {
        RunSchema::open(rig.database_url(), &rig.schema_name(name)).await
    }

    /// Makes the schema in the database of this address, unless it is there.
    ///
    /// # Errors
    /// - [`SchemaError::Name`] for a name that PostgreSQL would cut or refuse.
    /// - [`SchemaError::Address`] for an address that is none.
    /// - [`SchemaError::Connect`] when the database does not answer or does not let the user in.
    /// - [`SchemaError::Refused`] when the user may not make a schema.
    pub async fn open(database_url: &str, name: &str) -> Result<RunSchema, SchemaError> {
        if name.is_empty() || name.len() > MAX_NAME_BYTES || name.contains('\0') {
            return Err(SchemaError::Name { found: name.len() });
        }
        let config: Config = database_url.parse().map_err(SchemaError::Address)?;
        let schema = RunSchema { name: name.to_owned(), url: url_in(database_url, &config, name) };
        let client = schema.connect().await?;
        schema.make(&client).await.map_err(|source| schema.refused(source))?;
        Ok(schema)
    }

    /// The schema's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The database's address with the schema as its search path. It holds a password.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A new connection, with the schema as its search path. Where it breaks, the next call on the
    /// client says so.
    ///
    /// # Errors
    /// [`SchemaError::Connect`] when the database does not answer or does not let the user in.
    pub async fn connect(&self) -> Result<Client, SchemaError> {
        let config: Config = self.url.parse().map_err(SchemaError::Address)?;
        let (client, connection) = config
            .connect(NoTls)
            .await
            .map_err(|source| SchemaError::Connect { address: address_of(&config), source })?;
        // It ends when its client is dropped.
        tokio::spawn(connection);
        Ok(client)
    }

    /// Empties those of the tables that are there. Other tables of the schema stay as they are.
    ///
    /// # Errors
    /// [`SchemaError::Connect`], or [`SchemaError::Refused`] when the user may not empty a table.
    pub async fn empty(&self, tables: &[&str]) -> Result<(), SchemaError> {
        let client = self.connect().await?;
        self.empty_by(&client, tables).await.map_err(|source| self.refused(source))
    }

    async fn make(&self, client: &Client) -> Result<(), Error> {
        // `CREATE SCHEMA IF NOT EXISTS` wants the right to make one also where it is there.
        let question = "SELECT 1 FROM pg_namespace WHERE nspname = $1";
        if client.query_opt(question, &[&self.name]).await?.is_some() {
            return Ok(());
        }
        match client.batch_execute(&format!("CREATE SCHEMA {}", quoted(&self.name))).await {
            // Another run has just made it.
            Err(error) if made_meanwhile(&error) => Ok(()),
            answer => answer,
        }
    }

    async fn empty_by(&self, client: &Client, tables: &[&str]) -> Result<(), Error> {
        let question =
            "SELECT tablename FROM pg_tables WHERE schemaname = $1 AND tablename = ANY($2)";
        let there = client.query(question, &[&self.name, &tables]).await?;
        if there.is_empty() {
            return Ok(());
        }
        let there: Vec<String> = there
            .iter()
            .map(|row| format!("{}.{}", quoted(&self.name), quoted(row.get(0))))
            .collect();
        client.batch_execute(&format!("TRUNCATE {}", there.join(", "))).await
    }

    fn refused(&self, source: Error) -> SchemaError {
        SchemaError::Refused { schema: self.name.clone(), source }
    }
}

fn made_meanwhile(error: &Error) -> bool {
    let code = error.code();
    code == Some(&SqlState::DUPLICATE_SCHEMA) || code == Some(&SqlState::UNIQUE_VIOLATION)
}

/// Why the database did not do as it was told. The client's own text only names the kind of the
/// error, `db error` for example.
pub fn reason(error: &Error) -> String {
    error.source().map_or_else(|| error.to_string(), |cause| cause.to_string())
}

/// An identifier as SQL takes it, whatever is in it.
pub fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

/// The address with the schema as search path, behind options that it has already.
fn url_in(database_url: &str, config: &Config, schema: &str) -> String {
    // In `options`, a blank ends an argument and a backslash keeps it.
    let path = quoted(schema).replace('\\', "\\\\").replace(' ', "\\ ");
    let earlier = config.get_options().map_or(String::new(), |options| format!("{options} "));
    let options = format!("{earlier}-c search_path={path}");
    let options = utf8_percent_encode(&options, NON_ALPHANUMERIC);
    let mark = if database_url.contains('?') { '&' } else { '?' };
    format!("{database_url}{mark}options={options}")
}

/// Hosts and ports, for people: no user and no password.
fn address_of(config: &Config) -> String {
    let ports = config.get_ports();
    let of = |(index, host): (usize, &Host)| {
        let port = ports.get(index).or(ports.first()).unwrap_or(&5432);
        match host {
            Host::Tcp(name) => format!("{name}:{port}"),
            #[cfg(unix)]
            Host::Unix(folder) => folder.display().to_string(),
        }
    };
    config.get_hosts().iter().enumerate().map(of).collect::<Vec<_>>().join(", ")
}
