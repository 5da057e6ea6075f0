//! Databases that the environment names and that the labs can't use: a sentence each, with its fix.

mod sql;

use rig::Private;
use rig::cluster::{Cluster, Provider, address_of};
use rig::reach;

use crate::sql::sql;

const PASSWORD: &str = "a-secret-word";

/// Databases and users of every bad kind. A role's limit holds for others than superusers alone.
const MADE: [&str; 10] = [
    "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0",
    "CREATE DATABASE ascii ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0",
    "CREATE DATABASE frozen",
    "ALTER DATABASE frozen SET default_transaction_read_only = on",
    "CREATE ROLE amelia LOGIN CREATEDB",
    "GRANT CREATE ON DATABASE tidemark TO amelia",
    "CREATE ROLE crowded LOGIN CREATEDB CONNECTION LIMIT 0",
    "CREATE ROLE visitor LOGIN",
    "CREATE ROLE guest LOGIN CREATEDB",
    "CREATE ROLE asleep NOLOGIN CREATEDB",
];

/// A database, a user and a password that go wrong, and the beginning of what is said.
const FAULTS: [(&str, &str, &str, &str); 9] = [
    (
        "latin",
        "amelia",
        PASSWORD,
        "has a database in LATIN1, expected UTF8; make one with `createdb",
    ),
    ("ascii", "amelia", PASSWORD, "has a database in SQL_ASCII, expected UTF8; make one with"),
    (
        "frozen",
        "amelia",
        PASSWORD,
        "is read-only; name a server in DATABASE_URL that takes writes, or",
    ),
    (
        "nowhere",
        "amelia",
        PASSWORD,
        "has no such database (database \"nowhere\" does not exist); make it",
    ),
    ("tidemark", "crowded", PASSWORD, "takes no more connections (too many connections for role"),
    (
        "tidemark",
        "visitor",
        PASSWORD,
        "does not let you make databases, and each test makes one; ask",
    ),
    ("tidemark", "guest", PASSWORD, "does not let you make schemas, and each run makes one; ask"),
    (
        "tidemark",
        "asleep",
        PASSWORD,
        "refused to log you in (role \"asleep\" is not permitted to log in); ask who runs it for LOGIN",
    ),
    (
        "tidemark",
        "amelia",
        "another-word",
        "refused to log you in; are user and password in DATABASE",
    ),
];

/// The servers of a rig, as an environment names them that has this database and user in `DATABASE_URL`.
fn named(own: &Private, database: &str, user: &str, password: &str) -> Cluster {
    let kafka = own.kafka();
    let brokers = kafka.get("bootstrap.servers").expect("it is set").to_owned();
    let address = address_of(own.database_url());
    Cluster {
        provider: Provider::External,
        kafka: vec![("bootstrap.servers".to_owned(), brokers)],
        kafka_version: "unknown".to_owned(),
        database_url: format!("postgresql://{user}:{password}@{address}/{database}"),
        postgres_version: "unknown".to_owned(),
        prefix: String::new(),
        replication: None,
        control: None,
        token: String::new(),
    }
}

#[test]
fn a_database_that_the_labs_cannot_use_is_a_sentence_with_its_fix() {
    let own = Private::start().expect("a private rig starts");
    for statement in MADE {
        sql(own.database_url(), statement);
    }
    for user in ["amelia", "crowded", "visitor", "guest", "asleep"] {
        sql(own.database_url(), &format!("ALTER ROLE {user} PASSWORD '{PASSWORD}'"));
    }
    reach::ask(&named(&own, "tidemark", "amelia", PASSWORD)).expect("the labs can use it");
    for (database, user, password, why) in FAULTS {
        let refused = reach::ask(&named(&own, database, user, password));
        let sentence = refused.expect_err("the labs can't use it").0;
        let expected = format!("PostgreSQL at {} {why}", address_of(own.database_url()));
        assert!(sentence.starts_with(&expected), "{database}, {user}: {sentence}");
        assert!(!sentence.contains(password), "the password is shown: {sentence}");
    }
}
