//! A database of one test's own.

use tokio_postgres::{Client, Error, NoTls};

use crate::own::{Own, Owner};

/// A running PostgreSQL, and an empty database that only one test uses.
pub struct TestDatabase {
    server_url: String,
    /// Held while the test runs: a connection takes longer than a statement.
    server: Client,
    name: String,
}

impl TestDatabase {
    pub(crate) async fn create(server_url: &str, owner: &Owner) -> TestDatabase {
        let name = owner.postgres_name();
        let server = connect(server_url).await.expect("the server takes connections");
        server
            .batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0"))
            .await
            .expect("the server makes the database");
        TestDatabase { server_url: server_url.to_owned(), server, name }
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
}

impl Own for TestDatabase {
    async fn clear(&self) {
        // FORCE ends the connections that the code under test has left open.
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        if let Err(error) = self.server.batch_execute(&drop).await {
            eprintln!("cannot drop database {}: {error}", self.name);
        }
    }

    fn kept(&self) -> Vec<String> {
        vec![format!("make psql, then \\c {}", self.name)]
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
