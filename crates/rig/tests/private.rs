//! A Kafka and a PostgreSQL of one test's own: killed, started again, gone with the test.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rig::Private;
use rig::private::Server;
use tokio_postgres::NoTls;

const TIMEOUT: Duration = Duration::from_secs(20);

#[test]
fn a_record_outlives_a_broker_that_is_killed() {
    let mut own = Private::start().expect("a private rig starts");
    let producer: BaseProducer = own.kafka().create().unwrap();
    make_topic(&own, "outlives");
    producer.send(BaseRecord::<str, str>::to("outlives").payload("flight")).unwrap();
    producer.flush(TIMEOUT).unwrap();

    own.kill(Server::Kafka).unwrap();
    let refused = own.kill(Server::Kafka).unwrap_err().to_string();
    assert_eq!(refused, "cannot kill kafka: it does not run");
    own.start_again(Server::Kafka).unwrap();

    let consumer: BaseConsumer = own.kafka().create().unwrap();
    let (first, end) = consumer.fetch_watermarks("outlives", 0, TIMEOUT).unwrap();
    assert_eq!((first, end), (0, 1), "a record whose delivery was reported is lost");
}

#[test]
fn a_database_that_is_killed_is_an_error_at_once_and_keeps_what_was_committed() {
    let mut own = Private::start().expect("a private rig starts");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = runtime.block_on(connect(&own)).unwrap();
    runtime.block_on(client.batch_execute("CREATE TABLE kept AS SELECT 42 AS answer")).unwrap();

    let waits = runtime.spawn(async move { client.batch_execute("SELECT pg_sleep(60)").await });
    let began = Instant::now();
    own.kill(Server::Postgres).unwrap();
    let error = runtime.block_on(waits).unwrap().unwrap_err();
    assert!(error.is_closed(), "{error}");
    assert_eq!(error.to_string(), "connection closed");
    let refused = runtime.block_on(connect(&own)).expect_err("nobody listens").to_string();
    assert!(refused.starts_with("error connecting to server"), "{refused}");
    assert!(began.elapsed() < TIMEOUT, "the errors took {:?}", began.elapsed());

    own.start_again(Server::Postgres).unwrap();
    let client = runtime.block_on(connect(&own)).unwrap();
    let row = runtime.block_on(client.query_one("SELECT answer FROM kept", &[])).unwrap();
    assert_eq!(row.get::<_, i32>(0), 42, "what was committed is lost");
}

async fn connect(own: &Private) -> Result<tokio_postgres::Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(own.database_url(), NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

#[test]
fn a_private_rig_is_gone_when_its_test_is() {
    let own = Private::start().expect("a private rig starts");
    let database = own.database_url().to_owned();
    let address = database.rsplit('@').next().unwrap().split('/').next().unwrap().to_owned();
    assert!(TcpStream::connect(&address).is_ok(), "the database does not listen");
    drop(own);
    assert!(TcpStream::connect(&address).is_err(), "the database still listens");
}

fn make_topic(own: &Private, name: &str) {
    use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
    use rdkafka::client::DefaultClientContext;

    let admin: AdminClient<DefaultClientContext> = own.kafka().create().unwrap();
    let topic = NewTopic::new(name, 1, TopicReplication::Fixed(1));
    let options = AdminOptions::new().operation_timeout(Some(TIMEOUT));
    let created = admin.create_topics([&topic], &options);
    for answer in futures::executor::block_on(created).unwrap() {
        answer.unwrap();
    }
}
