//! A database of one test's own.

use tokio_postgres::{Client, Error, NoTls};

use crate::own::{Own, Owner};

/// A running PostgreSQL, and an empty database that only one test uses.
pub struct TestDatabase {
    server_url: String,
    name: String,
}

impl TestDatabase {
    pub(crate) async fn create(server_url: &str, owner: &Owner) -> TestDatabase {
        let database =
            TestDatabase { server_url: server_url.to_owned(), name: owner.postgres_name() };
        database
            .on_server(&format!("CREATE DATABASE {} TEMPLATE template0", database.name))
            .await
            .expect("the server makes the database");
        database
    }

    /// The database's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The database's address: `postgresql://user:password@host:port/name`.
    pub fn url(&self) -> String {
        url_of(&self.server_url, &self.name)
    }

    /// A new connection to the database.
    pub async fn connect(&self) -> Client {
        connect(&self.url()).await.expect("the database takes connections")
    }

    async fn on_server(&self, statement: &str) -> Result<(), Error> {
        connect(&self.server_url).await?.batch_execute(statement).await
    }
}

impl Own for TestDatabase {
    async fn clear(&self) {
        // FORCE ends the connections that the code under test has left open.
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        if let Err(error) = self.on_server(&drop).await {
            eprintln!("cannot drop database {}: {error}", self.name);
        }
    }

    fn kept(&self) -> Vec<String> {
        vec![format!("bin/psql {}", self.name)]
    }
}

async fn connect(url: &str) -> Result<Client, Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    // It ends when its client is dropped.
    tokio::spawn(connection);
    Ok(client)
}

/// The same server and user, another database.
fn url_of(server_url: &str, database: &str) -> String {
    let (address, parameters) = match server_url.split_once('?') {
        Some((address, parameters)) => (address, format!("?{parameters}")),
        None => (server_url, String::new()),
    };
    let after_scheme = address.find("://").map_or(0, |at| at + 3);
    let end = address[after_scheme..].find('/').map_or(address.len(), |at| after_scheme + at);
    format!("{}/{database}{parameters}", &address[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_database_of_an_address_is_replaced() {
        let expected = "postgresql://ada:pw@127.0.0.1:5432/mine";
        assert_eq!(url_of("postgresql://ada:pw@127.0.0.1:5432/postgres", "mine"), expected);
        assert_eq!(url_of("postgresql://ada:pw@127.0.0.1:5432", "mine"), expected);
        assert_eq!(
            url_of("postgresql://ada:pw@127.0.0.1:5432/postgres?sslmode=disable", "mine"),
            format!("{expected}?sslmode=disable")
        );
    }
}
