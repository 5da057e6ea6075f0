//! Topics and groups of one test's own.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{
    AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication, TopicResult,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaResult, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rig::Rig;
use rig::say::say;

use crate::deadline::until;
use crate::own::{Own, Owner};

const BROKER_TIMEOUT: Duration = Duration::from_secs(10);

/// A running Kafka, and what one test uses of it.
pub struct TestKafka {
    client: ClientConfig,
    replication: i32,
    owner: Owner,
    topics: Mutex<Vec<String>>,
    groups: Mutex<Vec<String>>,
}

impl TestKafka {
    pub(crate) fn new(rig: &Rig, owner: Owner) -> TestKafka {
        TestKafka {
            client: rig.kafka(),
            replication: rig.replication(),
            owner,
            topics: Mutex::default(),
            groups: Mutex::default(),
        }
    }

    /// On how many brokers each topic is kept here: the replication factor to ask for.
    pub fn replication(&self) -> i32 {
        self.replication
    }

    /// What every Kafka client starts from: the brokers' addresses and how to speak to them.
    pub fn client(&self) -> ClientConfig {
        self.client.clone()
    }

    /// A client that waits for nothing longer than it must. By default a broker keeps a request for
    /// records back for half a second when there are none, and a new consumer asks its first
    /// questions in steps of up to a second.
    pub fn quick_client(&self) -> ClientConfig {
        let mut quick = self.client();
        for setting in
            ["fetch.wait.max.ms", "topic.metadata.refresh.fast.interval.ms", "retry.backoff.ms"]
        {
            quick.set(setting, "10");
        }
        quick
    }

    /// A name for a topic that only this test uses. The topic is not made; whoever makes it, it
    /// is deleted when the test has passed.
    pub fn topic(&self, purpose: &str) -> String {
        reserve(&self.topics, self.owner.kafka_name(purpose))
    }

    /// A name for a consumer group that only this test uses.
    pub fn group(&self, purpose: &str) -> String {
        reserve(&self.groups, self.owner.kafka_name(purpose))
    }

    /// Makes a topic that only this test uses, and waits until the leader of each partition
    /// answers. It keeps its records forever, because the flights are of 2013.
    pub async fn create_topic(&self, purpose: &str, partitions: i32) -> String {
        self.create_topic_with(purpose, partitions, &[("retention.ms", "-1")]).await
    }

    /// Makes a topic as [`create_topic`](TestKafka::create_topic) does, with settings of its own.
    pub async fn create_topic_with(
        &self,
        purpose: &str,
        partitions: i32,
        settings: &[(&str, &str)],
    ) -> String {
        let name = self.topic(purpose);
        let mut topic = NewTopic::new(&name, partitions, TopicReplication::Fixed(self.replication));
        for (setting, value) in settings {
            topic = topic.set(setting, value);
        }
        let answers = self.admin().create_topics([&topic], &options()).await;
        for answer in answers.expect("the broker answers") {
            answer.expect("the broker makes the topic");
        }
        self.wait_for_leaders(&name, partitions).await;
        name
    }

    /// Gives a topic so many partitions, and waits until the leader of each answers.
    pub async fn grow_topic(&self, topic: &str, partitions: i32) {
        let count = usize::try_from(partitions).expect("a number of partitions");
        let more = [NewPartitions::new(topic, count)];
        let answers = self.admin().create_partitions(&more, &options()).await;
        for answer in answers.expect("the broker answers") {
            answer.expect("the broker adds partitions");
        }
        self.wait_for_leaders(topic, partitions).await;
    }

    async fn wait_for_leaders(&self, topic: &str, partitions: i32) {
        until(BROKER_TIMEOUT, format!("a word of the leaders of topic {topic}"), async || {
            // Asked each time: the client keeps the word of a broker that has not heard of the topic.
            self.partitions_with_leader(topic, partitions)?;
            self.leaders_answer(topic, partitions)
        })
        .await;
    }

    /// Whether there is a topic of this name. The broker that makes all topics is asked: another
    /// one may hear of a new topic a moment later.
    pub async fn has_topic(&self, name: &str) -> bool {
        let topic = NewTopic::new(name, 1, TopicReplication::Fixed(self.replication));
        let only_asked = options().validate_only(true);
        let answers = self.admin().create_topics([&topic], &only_asked).await;
        let answer = answers.expect("the broker answers").remove(0);
        matches!(answer, Err((_, RDKafkaErrorCode::TopicAlreadyExists)))
    }

    /// Deletes a topic.
    pub async fn delete(&self, topic: &str) {
        let answers = self.admin().delete_topics(&[topic], &options()).await;
        for answer in answers.expect("the broker answers") {
            answer.expect("the broker deletes the topic");
        }
    }

    /// Deletes the records of a partition before an offset, as retention does when their time has come.
    pub async fn delete_before(&self, topic: &str, partition: i32, offset: i64) {
        let mut before = TopicPartitionList::new();
        let added = before.add_partition_offset(topic, partition, Offset::Offset(offset));
        added.expect("it is an offset");
        let answers = self.admin().delete_records(&before, &options()).await;
        for answer in answers.expect("the broker answers").elements() {
            answer.error().expect("the broker deletes the records");
        }
    }

    fn partitions_with_leader(&self, topic: &str, expected: i32) -> Result<(), String> {
        let metadata = self
            .admin()
            .inner()
            .fetch_metadata(Some(topic), BROKER_TIMEOUT)
            .map_err(|error| error.to_string())?;
        let partitions = metadata.topics().iter().flat_map(|topic| topic.partitions());
        let led = partitions.filter(|partition| partition.leader() >= 0).count();
        if led == expected as usize {
            Ok(())
        } else {
            Err(format!("{led} of {expected} partitions have a leader"))
        }
    }

    /// Whether the leaders know that they lead. One that does not know it yet refuses a first batch
    /// and may take the second one: an idempotent producer's first batch then counts as a duplicate
    /// when it is sent again, and is nowhere.
    fn leaders_answer(&self, topic: &str, partitions: i32) -> Result<(), String> {
        for partition in 0..partitions {
            self.admin()
                .inner()
                .fetch_watermarks(topic, partition, BROKER_TIMEOUT)
                .map_err(|error| format!("partition {partition}: {error}"))?;
        }
        Ok(())
    }

    /// An admin client, to look at what the code under test has done. All tests of this process
    /// share it: to make one and to end it takes longer than to ask it.
    pub fn admin(&self) -> &'static AdminClient<DefaultClientContext> {
        static ADMIN: OnceLock<AdminClient<DefaultClientContext>> = OnceLock::new();
        ADMIN.get_or_init(|| self.client.create().expect("the rig's settings make a client"))
    }

    /// The reserved topics that somebody made.
    fn made_topics(&self) -> KafkaResult<Vec<String>> {
        let mut topics = taken(&self.topics);
        if !topics.is_empty() {
            let metadata = self.admin().inner().fetch_metadata(None, BROKER_TIMEOUT)?;
            topics.retain(|topic| metadata.topics().iter().any(|made| made.name() == topic));
        }
        Ok(topics)
    }
}

impl Own for TestKafka {
    async fn clear(&self) {
        let topics = taken(&self.topics);
        let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
        let groups = taken(&self.groups);
        let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
        // A topic or group that was reserved and never made answers with an error of its own.
        if !topics.is_empty() {
            let answers = self.admin().delete_topics(&topics, &options()).await;
            answers.iter().flatten().for_each(say_if_forbidden);
        }
        if !groups.is_empty() {
            let _ = self.admin().delete_groups(&groups, &options()).await;
        }
    }

    fn kept(&self) -> Vec<String> {
        let topics = self.made_topics().unwrap_or_default();
        let look = |topic| {
            format!("bin/kafka-console-consumer --topic {topic} --from-beginning --timeout-ms 3000")
        };
        topics.iter().map(look).collect()
    }
}

/// The right to delete is only asked for here, so that somebody hears of what stays.
fn say_if_forbidden(answer: &TopicResult) {
    if let Err((topic, RDKafkaErrorCode::TopicAuthorizationFailed)) = answer {
        say(&format!("you may not delete topics here: {topic} stays"));
    }
}

fn options() -> AdminOptions {
    AdminOptions::new()
        .request_timeout(Some(BROKER_TIMEOUT))
        .operation_timeout(Some(BROKER_TIMEOUT))
}

fn reserve(names: &Mutex<Vec<String>>, name: String) -> String {
    names.lock().unwrap_or_else(PoisonError::into_inner).push(name.clone());
    name
}

fn taken(names: &Mutex<Vec<String>>) -> Vec<String> {
    names.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
