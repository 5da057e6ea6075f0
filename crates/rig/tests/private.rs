//! A Kafka and a PostgreSQL of one test's own: killed, started again, gone with the test.

use std::net::TcpStream;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rig::Private;
use rig::private::Server;

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
