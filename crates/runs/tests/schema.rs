//! A run's own schema, in a real PostgreSQL.

use runs::{RunSchema, SchemaError};
use testkit::with_database;
use tokio_postgres::Client;

async fn count(client: &Client, table: &str) -> i64 {
    let question = format!("SELECT count(*) FROM {table}");
    client.query_one(&question, &[]).await.expect("the table is there").get(0)
}

async fn make_table(client: &Client, table: &str) {
    let statements = format!("CREATE TABLE {table} (n int); INSERT INTO {table} VALUES (1), (2)");
    client.batch_execute(&statements).await.expect("the table is made");
}

#[test]
fn tables_without_a_prefix_are_those_of_the_schema() {
    with_database(async |database| {
        let lab02 = RunSchema::open(&database.url(), "lab02").await.unwrap();
        make_table(&lab02.connect().await.unwrap(), "processed_events").await;
        let lab03 = RunSchema::open(&database.url(), "lab03").await.unwrap();
        make_table(&lab03.connect().await.unwrap(), "processed_events").await;
        lab03.empty(&["processed_events"]).await.unwrap();

        let public = database.connect().await;
        assert_eq!(count(&public, "lab02.processed_events").await, 2);
        assert_eq!(count(&public, "lab03.processed_events").await, 0);
    });
}

#[test]
fn the_address_alone_leads_into_the_schema() {
    with_database(async |database| {
        let schema = RunSchema::open(&database.url(), "lab02").await.unwrap();
        let (client, connection) =
            tokio_postgres::connect(schema.url(), tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        make_table(&client, "processed_events").await;
        assert_eq!(count(&database.connect().await, "lab02.processed_events").await, 2);
    });
}

#[test]
fn a_schema_that_is_there_is_taken_as_it_is() {
    with_database(async |database| {
        let first = RunSchema::open(&database.url(), "lab02").await.unwrap();
        make_table(&first.connect().await.unwrap(), "processed_events").await;
        let again = RunSchema::open(&database.url(), "lab02").await.unwrap();
        assert_eq!(count(&again.connect().await.unwrap(), "processed_events").await, 2);
    });
}

#[test]
fn runs_that_begin_at_once_make_one_schema() {
    with_database(async |database| {
        for number in 0..10 {
            let (url, name) = (database.url(), format!("lab{number:02}"));
            let open = || RunSchema::open(&url, &name);
            let opened = tokio::join!(open(), open(), open());
            assert!(opened.0.is_ok() && opened.1.is_ok() && opened.2.is_ok());
        }
    });
}

#[test]
fn only_named_tables_are_emptied_and_one_that_is_missing_is_no_error() {
    with_database(async |database| {
        let schema = RunSchema::open(&database.url(), "lab02").await.unwrap();
        schema.empty(&["processed_events"]).await.unwrap();
        let client = schema.connect().await.unwrap();
        for table in ["processed_events", "dropped_records", "notes_of_a_learner"] {
            make_table(&client, table).await;
        }
        schema.empty(&["processed_events", "dropped_records", "not_there"]).await.unwrap();
        assert_eq!(count(&client, "processed_events").await, 0);
        assert_eq!(count(&client, "dropped_records").await, 0);
        assert_eq!(count(&client, "notes_of_a_learner").await, 2);
    });
}

#[test]
fn every_name_is_an_identifier() {
    with_database(async |database| {
        for name in ["Class-7 lab02", "o\"; DROP TABLE x; --", "back\\slash", "Tränen", "a,b"] {
            let schema = RunSchema::open(&database.url(), name).await.unwrap();
            let client = schema.connect().await.unwrap();
            make_table(&client, "\"Odd \"\"table\"").await;
            let row = client.query_one("SELECT current_schema()", &[]).await.unwrap();
            assert_eq!(row.get::<_, String>(0), name);
            schema.empty(&["Odd \"table"]).await.unwrap();
            assert_eq!(count(&client, "\"Odd \"\"table\"").await, 0);
        }
    });
}

#[test]
fn options_of_the_address_are_kept() {
    with_database(async |database| {
        let url = format!("{}?options=-c%20work_mem%3D4321kB&application_name=ada", database.url());
        let schema = RunSchema::open(&url, "lab02").await.unwrap();
        let client = schema.connect().await.unwrap();
        for (setting, expected) in
            [("work_mem", "4321kB"), ("application_name", "ada"), ("search_path", "lab02")]
        {
            let row = client.query_one(&format!("SHOW {setting}"), &[]).await.unwrap();
            assert_eq!(row.get::<_, String>(0).trim_matches('"'), expected);
        }
    });
}

#[test]
fn a_user_who_may_not_make_a_schema_is_told_and_uses_one_that_is_there() {
    with_database(async |database| {
        let owner = database.connect().await;
        let user = database.name();
        let make = format!("CREATE ROLE \"{user}\" LOGIN PASSWORD 'pw'");
        owner.batch_execute(&make).await.unwrap();
        let url = database.url();
        let (_, server) = url.split_once('@').expect("an address with a user");
        let url = format!("postgresql://{user}:pw@{server}");

        let refused = RunSchema::open(&url, "lab02").await;
        owner
            .batch_execute(&format!("CREATE SCHEMA lab02 AUTHORIZATION \"{user}\""))
            .await
            .unwrap();
        let taken = RunSchema::open(&url, "lab02").await;
        let drop = format!("DROP SCHEMA lab02; DROP ROLE \"{user}\"");
        owner.batch_execute(&drop).await.unwrap();

        let refused = refused.err().expect("it is refused").to_string();
        assert_eq!(
            refused,
            format!("schema `lab02`: ERROR: permission denied for database {user}")
        );
        assert!(taken.is_ok());
    });
}

#[tokio::test]
async fn what_cannot_be_had_is_one_sentence_without_a_password() {
    let refused = async |url: &str, name: &str| {
        RunSchema::open(url, name).await.err().expect("it is refused").to_string()
    };
    let said = refused("postgresql://ada:secret@127.0.0.1:9/none", "lab02").await;
    assert!(said.starts_with("no database at 127.0.0.1:9: "), "{said}");
    let said = refused("postgresql://ada:secret@127.0.0.1:x/none", "lab02").await;
    assert!(said.starts_with("the address of the database cannot be read: "), "{said}");
    assert!(!said.contains("secret"), "{said}");

    let url = "postgresql://ada@127.0.0.1:9/none";
    let said = refused(url, &"x".repeat(64)).await;
    assert_eq!(said, "schema name of 64 bytes, expected 1 to 63 and none of them 0");
    let empty = RunSchema::open(url, "").await;
    assert!(matches!(empty, Err(SchemaError::Name { found: 0 })));
}
