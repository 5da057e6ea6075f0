//! Databases that the environment names and that the labs can't use: a sentence each, with its fix.

use crate::common::OwnRig;
use crate::external::two_rigs;

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

fn name(rig: &mut OwnRig, servers: &OwnRig, database: &str, user: &str, password: &str) {
    let cluster = servers.cluster();
    let address = cluster.database_address();
    rig.set("DATABASE_URL", format!("postgresql://{user}:{password}@{address}/{database}"));
}

#[test]
fn a_database_that_the_labs_cannot_use_is_a_sentence_with_its_fix() {
    let (servers, mut rig) = two_rigs("external-database");
    for statement in MADE {
        servers.succeeds(&["psql", "-c", statement]);
    }
    for user in ["amelia", "crowded", "visitor", "guest", "asleep"] {
        servers.succeeds(&["psql", "-c", &format!("ALTER ROLE {user} PASSWORD '{PASSWORD}'")]);
    }
    name(&mut rig, &servers, "tidemark", "amelia", PASSWORD);
    assert!(rig.succeeds(&["up"]).contains("both answer"));
    for (database, user, password, why) in FAULTS {
        name(&mut rig, &servers, database, user, password);
        let sentence = rig.fails(&["up"]);
        let expected = format!("PostgreSQL at {} {why}", servers.cluster().database_address());
        assert!(sentence.starts_with(&expected), "{database}, {user}: {sentence}");
        assert!(!sentence.contains(password), "the password is shown: {sentence}");
    }
}
