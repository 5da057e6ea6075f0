//! Step 4: publish, and know where each record is.
//!
//! What lies on the topic is read back by the given consumer.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use flights::Flight;
use lab01::publish::{Delivery, PublishError, publish};
use lab01::readback::{StoredRecord, read_topic};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use testkit::{TestKafka, rule, with_kafka};

use super::clients::{NO_SETTING, with_a_setting_that_there_is_not};
use super::flights_at_hand::{UA_1545_SLOT_MS, event_of, first_of_the_calm_week, instant, ua_1545};

const AIRPORTS: [&str; 3] = ["EWR", "JFK", "LGA"];
/// So long may a call take that ends with an error, where a broker may take 300 ms.
const BOUND: Duration = Duration::from_secs(5);

async fn published(kafka: &TestKafka, topic: &str, flights: &[Flight]) -> Vec<Delivery> {
    rule("Flights can be published to a topic that is there.")
        .succeeds(publish(&kafka.client(), topic, flights, &mut |_| {}).await)
}

fn stored(kafka: &TestKafka, topic: &str) -> Vec<StoredRecord> {
    read_topic(&kafka.client(), topic).expect("the topic can be read")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn each_flight_has_a_delivery_that_says_where_it_lies() {
    with_kafka(async |kafka| {
        let topic = kafka.create_topic("flights", 3).await;
        let flights = first_of_the_calm_week(600);
        // The second time the partitions are not empty, and their next offset is not 0.
        for (run, flights) in [("first", &flights[..300]), ("second", &flights[300..])] {
            let deliveries = published(kafka, &topic, flights).await;
            rule("There is one delivery for each flight.").same(deliveries.len(), flights.len());
            let keys: Vec<&str> = deliveries.iter().map(|delivery| &*delivery.key).collect();
            let origins: Vec<&str> = flights.iter().map(|flight| &*flight.origin).collect();
            rule("The deliveries stand in the order of the flights: delivery 5 is of flight 5.")
                .picture(format!("flights from {}, …", origins[..8].join(", ")))
                .ask("In which order do answers come back from several partitions?")
                .holds(
                    keys == origins,
                    "the same number of deliveries, with keys in another order",
                );
            let stored = stored(kafka, &topic);
            for (index, (flight, delivery)) in flights.iter().zip(&deliveries).enumerate() {
                let place = (delivery.partition, delivery.offset);
                let found = stored.iter().find(|record| (record.partition, record.offset) == place);
                rule("A flight lies where its delivery says: at this partition and this offset.")
                    .picture(format!(
                        "{run} run: flight {index} of the list is {} {}, and delivery {index} says\n\
                         partition {}, offset {}, key {}",
                        flight.carrier, flight.flight, place.0, place.1, delivery.key
                    ))
                    .ask("Who knows the place of a record, when, and of which record does it speak?")
                    .same_bytes(
                        found.map_or("nothing".to_owned(), |record| text(&record.payload)),
                        event_of(flight),
                    );
            }
        }
        rule("Every flight lies on the topic once.")
            .same(stored(kafka, &topic).len(), flights.len());
    });
}

const LINGER_MS: u64 = 200;

/// So long is waited for 50 flights. Those that wait for one another take twice as long.
const TOGETHER: Duration = Duration::from_millis(50 * LINGER_MS / 2);

#[test]
fn no_flight_waits_for_the_delivery_of_another() {
    with_kafka(async |kafka| {
        let topic = kafka.create_topic("flights", 3).await;
        let flights = first_of_the_calm_week(50);
        let mut arrived_at_first_delivery = None;
        let mut on_delivery = |_: &Delivery| {
            // What was sent arrives while this call looks; what was not, never.
            arrived_at_first_delivery
                .get_or_insert_with(|| records_that_arrive(kafka, &topic, flights.len()));
        };
        let mut client = kafka.client();
        // So long does the client wait for further records before it sends one.
        client.set("linger.ms", LINGER_MS.to_string());
        let publish = publish(&client, &topic, &flights, &mut on_delivery);
        if let Ok(outcome) = tokio::time::timeout(TOGETHER, publish).await {
            rule("Flights can be published to a topic that is there.").succeeds(outcome);
        }
        let none_told = format!("no delivery was told within {} s", TOGETHER.as_secs());
        let seen = match arrived_at_first_delivery {
            Some(arrived) if arrived == flights.len() => "all of them",
            Some(1) => "one: the others were not sent yet",
            Some(_) => "some of them",
            None => &none_told,
        };
        rule("Every flight is sent before the first delivery is waited for.")
            .picture("50 flights: how many are on the topic when the first delivery is told?")
            .ask("A future does nothing until it is polled. Which of the producer's two ways to send queues a record when it is called?")
            .same_bytes(seen, "all of them");
    });
}

/// How many records arrive on the topic until there are so many, or two seconds have passed.
fn records_that_arrive(kafka: &TestKafka, topic: &str, wanted: usize) -> usize {
    let consumer: BaseConsumer = kafka.client().create().expect("a consumer can be made");
    let until = Instant::now() + Duration::from_secs(2);
    loop {
        let end_of = |partition| consumer.fetch_watermarks(topic, partition, BOUND);
        let ends = (0..3).map(|partition| end_of(partition).expect("the broker answers").1);
        let arrived = usize::try_from(ends.sum::<i64>()).expect("offsets are not negative");
        if arrived >= wanted || Instant::now() >= until {
            return arrived;
        }
    }
}

#[test]
fn each_airport_is_on_the_partition_that_kafkas_own_tools_choose() {
    with_kafka(async |kafka| {
        let topic = kafka.create_topic("flights", 3).await;
        let deliveries = published(kafka, &topic, &first_of_the_calm_week(300)).await;
        let partitions_of = |airport: &str| {
            let of_airport = deliveries.iter().filter(|delivery| delivery.key == airport);
            of_airport.map(|delivery| delivery.partition).collect::<BTreeSet<i32>>()
        };
        let found = AIRPORTS.map(|airport| format!("{airport} on {:?}", partitions_of(airport)));
        rule("A key lies on the partition that Kafka's own tools choose for it.")
            .picture("murmur2(key) mod 3:  EWR 1, JFK 1, LGA 0; nobody on 2")
            .ask("Which partitioner does your client use, and which does a client in Java?")
            .same_bytes(found.join(", "), "EWR on {1}, JFK on {1}, LGA on {0}");
    });
}

#[test]
fn the_flights_of_an_airport_stay_in_order() {
    with_kafka(async |kafka| {
        let topic = kafka.create_topic("flights", 3).await;
        let flights = first_of_the_calm_week(300);
        published(kafka, &topic, &flights).await;
        let stored = stored(kafka, &topic);
        for airport in AIRPORTS {
            let expected: Vec<String> =
                flights.iter().filter(|flight| flight.origin == airport).map(event_of).collect();
            let found: Vec<String> = stored
                .iter()
                .filter(|record| record.key.as_deref() == Some(airport.as_bytes()))
                .map(|record| text(&record.payload))
                .collect();
            rule("An airport's flights lie on the topic in the order in which they were given.")
                .picture(format!("{airport}: {} flights were given", expected.len()))
                .ask("Which of your sends was handed to the client first, and how do you know?")
                .holds(
                    found == expected,
                    if found.len() == expected.len() {
                        "as many records, in another order or with another payload".to_owned()
                    } else {
                        format!("{} records", found.len())
                    },
                );
        }
    });
}

#[test]
fn key_timestamp_headers_and_payload_arrive() {
    with_kafka(async |kafka| {
        let topic = kafka.create_topic("flights", 1).await;
        published(kafka, &topic, &[ua_1545()]).await;
        let records = stored(kafka, &topic);
        rule("One flight is one record.").same(records.len(), 1);
        let record = &records[0];
        rule("The key arrives.").same_bytes(record.key.as_deref().unwrap_or_default(), "EWR");
        rule("The timestamp arrives: when the aircraft left, not when the record was sent.")
            .ask("Who sets the timestamp of a record when you do not?")
            .same_bytes(
                instant(record.timestamp_ms.unwrap_or_default()),
                instant(UA_1545_SLOT_MS + 120_000),
            );
        let headers: Vec<String> =
            record.headers.iter().map(|(name, value)| format!("{name}={}", text(value))).collect();
        rule("The headers arrive, in their order.")
            .ask("Which parts of your record did you hand to the client?")
            .same_bytes(headers.join(", "), "content-type=application/json, schema=flight.v1");
        rule("The payload arrives.").same_bytes(&record.payload, event_of(&ua_1545()));
    });
}

#[test]
fn each_delivery_is_told_once_and_in_order() {
    with_kafka(async |kafka| {
        let topic = kafka.create_topic("flights", 3).await;
        let mut told = Vec::new();
        let flights = first_of_the_calm_week(300);
        let result =
            publish(&kafka.client(), &topic, &flights, &mut |delivery| told.push(delivery.clone()))
                .await;
        let deliveries = rule("Flights can be published.").succeeds(result);
        rule("There is one delivery for each flight.").same(deliveries.len(), flights.len());
        rule("on_delivery is told of each delivery once, in the order of the flights.")
            .ask("A progress bar hangs on this call. When may it move?")
            .same(told, deliveries);
    });
}

#[test]
fn a_topic_that_is_not_there_is_an_error_that_names_the_flight() {
    with_kafka(async |kafka| {
        let mut client = kafka.client();
        client.set("socket.timeout.ms", "300");
        let topic = kafka.topic("flights");
        let mut told = 0;
        let answer = async { publish(&client, &topic, &[ua_1545()], &mut |_| told += 1).await };
        let result = rule("A topic that is not there is an error, and not a long wait.")
            .ask("How long does the client keep a record that nobody takes? Which setting says so?")
            .within(BOUND, answer)
            .await;
        rule("A record for a topic that is not there is not delivered; flight and key are named.")
            .ask("A send that succeeds has put the record into a queue. Who empties it?")
            .refuses(result, "NotDelivered, flight 0 with key EWR", |error| {
                matches!(error, PublishError::NotDelivered { index: 0, key, .. } if key == "EWR")
            });
        rule("What was not delivered is not told as delivered.").same(told, 0);
    });
}

#[tokio::test]
async fn a_broker_that_is_not_there_is_an_error_in_time() {
    let mut nobody = ClientConfig::new();
    nobody.set("bootstrap.servers", "127.0.0.1:1").set("socket.timeout.ms", "300");
    let answer = async { publish(&nobody, "flights", &[ua_1545(), ua_1545()], &mut |_| {}).await };
    let result = rule("A broker that is not there is an error, and not a long wait.")
        .picture(format!("a broker may take 300 ms, the test waits for {BOUND:?}"))
        .ask("How long does the client keep a record that nobody takes? Which setting says so?")
        .within(BOUND, answer)
        .await;
    rule("Where no broker answers, the first flight is not delivered.").refuses(
        result,
        "NotDelivered, flight 0 with key EWR",
        |error| matches!(error, PublishError::NotDelivered { index: 0, key, .. } if key == "EWR"),
    );
}

#[test]
fn a_flight_that_cannot_be_written_is_named() {
    with_kafka(async |kafka| {
        let topic = kafka.create_topic("flights", 3).await;
        let impossible = Flight { origin: "BOS".to_owned(), ..ua_1545() };
        let flights = [ua_1545(), ua_1545(), impossible, ua_1545()];
        let result = publish(&kafka.client(), &topic, &flights, &mut |_| {}).await;
        rule("A flight that is no event is named by its place, counted from 0.")
            .picture("0 EWR · 1 EWR · 2 BOS, which is no airport of New York · 3 EWR")
            .refuses(result, "Event, flight 2", |error| {
                matches!(error, PublishError::Event { index: 2, .. })
            });
        let beyond = stored(kafka, &topic).len();
        rule("Nothing behind the flight that failed is published.")
            .holds(beyond <= 2, format!("{beyond} records on the topic"));
    });
}

#[tokio::test]
async fn every_setting_of_the_client_is_kept() {
    let kafka = with_a_setting_that_there_is_not();
    rule("Every setting of the client is kept, so one that there is not is refused.")
        .picture(format!("settings: bootstrap.servers, socket.timeout.ms, {NO_SETTING}"))
        .ask("A broker behind a password: what does a producer need, besides the address?")
        .refuses(
            publish(&kafka, "flights", &[ua_1545()], &mut |_| {}).await,
            "the client's error: there is no setting tidemark.no.setting",
            |error| error.to_string().contains(NO_SETTING),
        );
}
