//! The code that is given, so that a red test of a step is never its fault.

use std::time::Duration;

use lab01::layout::of_key;
use lab01::publish::Delivery;
use lab01::readback::read_topic;
use lab01::topic::{BROKER_TIMEOUT, Retention, broker_timeout};
use rdkafka::ClientConfig;
use rdkafka::producer::{FutureProducer, FutureRecord};
use testkit::{rule, with_kafka};

use super::clients::{NO_SETTING, with_a_setting_that_there_is_not};
use super::flights_at_hand::{UA_1545, event_of, ua_1545};

#[test]
fn given_a_flight_knows_its_own_json() {
    rule("The expected events of these tests are those of the given type.")
        .same_bytes(event_of(&ua_1545()), UA_1545);
}

#[test]
fn given_a_retention_is_read_as_it_was_written() {
    for (retention, setting) in
        [(Retention::Forever, "-1"), (Retention::For(Duration::from_secs(3600)), "3600000")]
    {
        rule("A retention is written in milliseconds, and -1 is forever.")
            .same(retention.to_setting().as_str(), setting);
        rule("A retention is read as it was written.")
            .same(Retention::from_setting(setting), Some(retention));
    }
}

#[test]
fn given_a_client_may_choose_how_long_a_broker_takes() {
    let mut kafka = ClientConfig::new();
    rule("A client that says nothing waits 10 s.").same(broker_timeout(&kafka), BROKER_TIMEOUT);
    kafka.set("socket.timeout.ms", "300");
    rule("A client's own setting counts.").same(broker_timeout(&kafka), Duration::from_millis(300));
}

#[test]
fn given_a_reader_keeps_every_setting_of_the_client() {
    rule("Every setting of the client is kept, so one that there is not is refused.").refuses(
        read_topic(&with_a_setting_that_there_is_not(), "flights"),
        "the client's error: there is no setting tidemark.no.setting",
        |error| error.to_string().contains(NO_SETTING),
    );
}

#[test]
fn given_the_deliveries_of_a_key_stay_in_order() {
    let at = |key: &str, offset| Delivery { key: key.to_owned(), partition: 1, offset };
    let deliveries = [at("EWR", 0), at("JFK", 1), at("EWR", 2)];
    rule("Only the deliveries of the key, in the order of the list.")
        .same(of_key(&deliveries, "EWR"), vec![at("EWR", 0), at("EWR", 2)]);
}

#[test]
fn given_a_topic_is_read_partition_after_partition() {
    with_kafka(async |kafka| {
        let topic = kafka.create_topic("flights", 3).await;
        let producer: FutureProducer = kafka.client().create().expect("the settings are good");
        for (partition, payload) in [(1, "a"), (0, "b"), (1, "c")] {
            let record = FutureRecord::<str, str>::to(&topic).partition(partition).payload(payload);
            let delivery = producer.send_result(record).map_err(|(error, _)| error);
            delivery.expect("there is room").await.expect("it is answered").expect("it is taken");
        }
        let records = rule("A topic can be read.").succeeds(read_topic(&kafka.client(), &topic));
        let seen: Vec<(i32, i64, Vec<u8>)> = records
            .into_iter()
            .map(|record| (record.partition, record.offset, record.payload))
            .collect();
        rule("Every record is read, by partition and offset; an empty partition is no hindrance.")
            .same(seen, vec![(0, 0, b"b".to_vec()), (1, 0, b"a".to_vec()), (1, 1, b"c".to_vec())]);
    });
}
