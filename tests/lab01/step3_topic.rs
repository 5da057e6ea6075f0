//! Step 3: create and describe a topic.
//!
//! What a topic really has is read back by an admin client of the test's own.

use std::time::Duration;

use lab01::topic::{
    Ensured, Retention, TopicDescription, TopicError, TopicSpec, describe_known_topic,
    describe_topic, ensure_topic,
};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminOptions, ResourceSpecifier};
use rdkafka::error::RDKafkaErrorCode;
use testkit::{TestKafka, rule, until, with_kafka};
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use super::clients::{NO_SETTING, with_a_setting_that_there_is_not};

const TIMEOUT: Duration = Duration::from_secs(10);
const HOUR: Duration = Duration::from_secs(3600);

/// What the lab asks of every topic with flights.
fn flights_topic(name: String, replication: i32) -> TopicSpec {
    TopicSpec { name, partitions: 3, replication, retention: Retention::Forever }
}

/// Partitions, replicas of the first one and `retention.ms`, as the broker has them, once it has
/// heard of the topic.
async fn really(kafka: &TestKafka, topic: &str) -> (usize, i32, String) {
    until(TIMEOUT, "the news of a topic that was made", async || {
        really_now(kafka, topic).await.ok_or("the broker has not heard of it".to_owned())
    })
    .await
}

async fn really_now(kafka: &TestKafka, topic: &str) -> Option<(usize, i32, String)> {
    let all = kafka.admin().inner().fetch_metadata(None, TIMEOUT).expect("the broker answers");
    let found = all.topics().iter().find(|found| found.name() == topic)?;
    let partitions = found.partitions();
    let question = ResourceSpecifier::Topic(topic);
    let answers = kafka.admin().describe_configs([&question], &AdminOptions::new()).await;
    let config = answers.expect("the broker answers").remove(0).expect("the topic has settings");
    // Another broker may have answered this one, without a setting where it has not heard of the topic.
    let retention = config.get("retention.ms")?.value.clone();
    let replicas = partitions[0].replicas().len() as i32;
    Some((partitions.len(), replicas, retention.unwrap_or_default()))
}

/// How many brokers the cluster has.
fn brokers(kafka: &TestKafka) -> i32 {
    let all = kafka.admin().inner().fetch_metadata(None, TIMEOUT).expect("the broker answers");
    all.brokers().len() as i32
}

/// A client of a broker that is not there. Nothing listens on port 1.
fn nobody() -> ClientConfig {
    let mut kafka = ClientConfig::new();
    kafka.set("bootstrap.servers", "127.0.0.1:1").set("socket.timeout.ms", "200");
    kafka
}

#[test]
fn a_new_topic_has_what_was_asked_for() {
    with_kafka(async |kafka| {
        for (retention, setting) in [(Retention::Forever, "-1"), (Retention::For(HOUR), "3600000")]
        {
            let spec = TopicSpec {
                retention,
                ..flights_topic(kafka.topic("flights"), kafka.replication())
            };
            let ensured = ensure_topic(&kafka.client(), &spec).await;
            rule("A topic that was not there is made.").same(ensured.ok(), Some(Ensured::Created));
            rule("The topic has the partitions, replicas and retention that were asked for.")
                .picture(format!("asked for: 3 partitions, replication {}, {retention:?}", spec.replication))
                .ask("A flight of 2013, a topic with the usual retention of a week: what is left of it?")
                .same(really(kafka, &spec.name).await, (3, spec.replication, setting.to_owned()));
        }
    });
}

#[test]
fn a_second_call_changes_nothing() {
    with_kafka(async |kafka| {
        let spec = flights_topic(kafka.topic("flights"), kafka.replication());
        for expected in [Ensured::Created, Ensured::AlreadyThere] {
            let ensured = rule("Running this twice is the same as running it once.")
                .ask("The second answer of the broker is an error. Is it a fault? And if it then says \"does not exist\": who told it of the topic, and when?")
                .succeeds(ensure_topic(&kafka.client(), &spec).await);
            rule("The first call makes the topic, the second finds it.").same(ensured, expected);
        }
    });
}

#[test]
fn of_several_calls_at_once_one_makes_the_topic() {
    with_kafka(async |kafka| {
        let spec = flights_topic(kafka.topic("flights"), kafka.replication());
        // Each on a thread of its own: a call may block its thread, and would then not overlap.
        let calls: Vec<_> = (0..4)
            .map(|_| {
                let (client, spec, runtime) = (kafka.client(), spec.clone(), Handle::current());
                spawn_blocking(move || runtime.block_on(ensure_topic(&client, &spec)))
            })
            .collect();
        let mut ensured = Vec::new();
        for call in calls {
            ensured.push(match call.await.expect("the call ends") {
                Ok(done) => format!("{done:?}"),
                Err(error) => error.to_string().replace(&spec.name, "flights"),
            });
        }
        ensured.sort_unstable();
        let mut others =
            ensured.iter().filter(|done| *done != "Created" && *done != "AlreadyThere");
        let seen = others.next().cloned().unwrap_or(ensured.join(", "));
        rule("Of the programs that ensure a topic at once, one makes it and the others find it.")
            .picture("A: is it there? ── no ────────── make it\nB:    is it there? ── no ────────── make it")
            .ask("Between asking and making lies a gap. Who alone can know whether a topic is there?")
            .same_bytes(seen, "AlreadyThere, AlreadyThere, AlreadyThere, Created");
    });
}

#[test]
fn another_number_of_partitions_is_refused_with_both_numbers() {
    with_kafka(async |kafka| {
        let topic = kafka.create_topic("flights", 2).await;
        rule("A topic that is there with another number of partitions is refused.")
            .picture("there: 2 partitions · asked for: 3")
            .ask("\"Already exists\" says that the name is taken. Is it the topic that was asked for?")
            .refuses(
                ensure_topic(&kafka.client(), &flights_topic(topic.clone(), kafka.replication())).await,
                "OtherPartitions, expected 3, found 2",
                |error| {
                    matches!(error, TopicError::OtherPartitions { expected: 3, found: 2, topic: name }
                        if *name == topic)
                },
            );
        rule("Nothing was changed: with more partitions, a key's records would lose their order.")
            .same(really(kafka, &topic).await.0, 2);
    });
}

#[test]
fn a_topic_that_the_broker_refuses_is_not_created() {
    with_kafka(async |kafka| {
        let good = flights_topic(kafka.topic("flights"), kafka.replication());
        let refused = [
            (
                "more replicas of each partition than there are brokers",
                TopicSpec { replication: brokers(kafka) + 1, ..good.clone() },
                RDKafkaErrorCode::InvalidReplicationFactor,
            ),
            (
                "a topic named new/york",
                TopicSpec { name: kafka.topic("new/york"), ..good },
                RDKafkaErrorCode::InvalidTopic,
            ),
        ];
        for (asked, spec, expected) in refused {
            rule("What the broker refuses was not created.")
                .picture(format!("asked for: {asked}"))
                .ask("The call succeeded, so the broker has answered. What did it answer about this topic?")
                .refuses(
                    ensure_topic(&kafka.client(), &spec).await,
                    &format!("Refused, {expected}"),
                    |error| matches!(error, TopicError::Refused { code, .. } if *code == expected),
                );
        }
    });
}

#[test]
fn a_description_is_what_the_broker_has() {
    with_kafka(async |kafka| {
        let topic = kafka.create_topic_with("flights", 2, &[("retention.ms", "3600000")]).await;
        let described = rule("A topic that is there can be described.")
            .succeeds(describe_known_topic(&kafka.client(), &topic).await);
        rule("A description is what the broker has, not what one would expect.")
            .picture(format!("the broker has: 2 partitions, replication {}, retention.ms=3600000", kafka.replication()))
            .ask("Partitions are metadata, retention is configuration. Which of them did you ask for?")
            .same(
                described,
                TopicDescription {
                    partitions: 2,
                    replication: kafka.replication(),
                    retention: Retention::For(HOUR),
                },
            );
    });
}

#[test]
fn to_ask_for_a_topic_does_not_make_it() {
    with_kafka(async |kafka| {
        let topic = kafka.topic("flights");
        rule("A topic that is not there is missing, and the error names it.")
            .ask("What does the broker say of this topic, and where in its answer does it stand?")
            .refuses(
                describe_topic(&kafka.client(), &topic).await,
                "Missing, with the name of the topic",
                |error| matches!(error, TopicError::Missing { topic: name } if *name == topic),
            );
        rule("To ask for a topic does not make it.")
            .holds(!kafka.has_topic(&topic).await, "the topic is there now");
    });
}

#[test]
fn a_topic_of_which_the_broker_does_not_tell_is_not_a_missing_one() {
    with_kafka(async |kafka| {
        let impossible = kafka.topic("new/york");
        rule(
            "Only a topic that is not there is missing. What else the broker says is its refusal.",
        )
        .picture("asked for: a topic named new/york, as no topic may be named")
        .ask("The metadata of a topic may hold an error. Is it the same one each time?")
        .refuses(
            describe_topic(&kafka.client(), &impossible).await,
            &format!("Refused, {}", RDKafkaErrorCode::InvalidTopic),
            |error| {
                matches!(error, TopicError::Refused { code: RDKafkaErrorCode::InvalidTopic, topic }
                        if *topic == impossible)
            },
        );
    });
}

#[tokio::test]
async fn a_broker_that_is_not_there_is_an_error_in_time() {
    let what = "Broker, in one sentence";
    let is_it = |error: &TopicError| {
        matches!(error, TopicError::Broker(_)) && error.to_string().lines().count() == 1
    };
    let spec = flights_topic("flights".to_owned(), 1);
    rule("Where no broker answers, making a topic ends with an error.").refuses(
        ensure_topic(&nobody(), &spec).await,
        what,
        is_it,
    );
    rule("Where no broker answers, describing a topic ends with an error.").refuses(
        describe_topic(&nobody(), &spec.name).await,
        what,
        is_it,
    );
}

#[tokio::test]
async fn every_setting_of_the_client_is_kept() {
    let kafka = with_a_setting_that_there_is_not();
    let spec = flights_topic("flights".to_owned(), 1);
    let keeps = || {
        rule("Every setting of the client is kept, so one that there is not is refused.")
            .picture(format!("settings: bootstrap.servers, socket.timeout.ms, {NO_SETTING}"))
            .ask("A broker behind a password: what does a client need, besides the address?")
    };
    let what = "the client's error: there is no setting tidemark.no.setting";
    let is_it = |error: &TopicError| error.to_string().contains(NO_SETTING);
    keeps().refuses(ensure_topic(&kafka, &spec).await, what, is_it);
    keeps().refuses(describe_topic(&kafka, &spec.name).await, what, is_it);
}
