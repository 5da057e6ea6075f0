//! A database of one test's own.

use std::panic::Location;
use std::time::Duration;

use tokio_postgres::{Client, Error, NoTls};

use crate::deadline::until;
use crate::own::{Own, Owner};
use crate::verdict::Verdict;

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
        let made = async {
            let server = connect(server_url).await?;
            server.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0")).await?;
            Ok(server)
        };
        let server =
            made.await.unwrap_or_else(|error| TestDatabase::is_not_to_be_had(server_url, &error));
        TestDatabase { server_url: server_url.to_owned(), server, name }
    }

    /// Fails the test in a sentence: it is not the learner's doing.
    #[track_caller]
    fn is_not_to_be_had(server_url: &str, error: &Error) -> ! {
        let address = rig::cluster::address_of(server_url);
        let sentence = format!("PostgreSQL at {address} {}", rig::database::in_words(error));
        Verdict::rig_is_down(sentence, Location::caller())
    }

    /// The database's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The database's address: `postgresql://user:password@host:port/name`.
    pub fn url(&self) -> String {
        url_of(&self.server_url, &self.name)
    }

    /// Waits until a connection to the database waits for a lock. None but the test's own are there.
    #[track_caller]
    pub fn until_somebody_waits_for_a_lock(
        &self,
        limit: Duration,
        what: &str,
    ) -> impl Future<Output = ()> {
        until(limit, what, async || {
            let waiting = "SELECT count(*) FROM pg_stat_activity
                           WHERE datname = $1 AND wait_event_type = 'Lock'";
            let row = self.server.query_one(waiting, &[&self.name]).await;
            match row.map_err(|error| error.to_string())?.get::<_, i64>(0) {
                0 => Err("nobody waits".to_owned()),
                _ => Ok(()),
            }
        })
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
    fn a_database_that_cannot_be_made_is_a_sentence_without_the_password() {
        let rig = crate::own::rig_up();
        let wrong = rig.database_url().replacen('@', "-and-more@", 1);
        let test = async || {};
        let owner = Owner::of_closure(&test, rig.prefix());
        let made = std::panic::catch_unwind(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(TestDatabase::create(&wrong, &owner))
        });
        let verdict = made.err().and_then(|panic| panic.downcast::<Verdict>().ok());
        let verdict = verdict.expect("a verdict, and no database");
        let address = rig::cluster::address_of(&wrong);
        let expected =
            format!("PostgreSQL at {address} refused to log you in; are user and password");
        assert!(verdict.rig_is_down && verdict.text.starts_with(&expected), "{}", verdict.text);
        assert!(!verdict.text.contains("-and-more"), "the password is shown");
    }

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
