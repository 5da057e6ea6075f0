//! Topics and a group of this check's own.

use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::admin::{
    AdminClient, AdminOptions, ConfigResource, NewPartitions, NewTopic, ResourceSpecifier,
    TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaResult, RDKafkaErrorCode};

use crate::stop::GONE;

/// How long to wait before a question is asked again.
const AGAIN: Duration = Duration::from_millis(50);

/// What is said where no broker tells the settings of a topic that it has.
const UNTOLD: &str = "its settings are not told; ask for the right to describe them";

/// The partitions that the topic is made with, and those that it is given.
const PARTITIONS: [i32; 2] = [2, 3];

/// What the check has on Kafka.
pub struct Trial {
    /// What every client starts from.
    pub kafka: ClientConfig,
    /// How long an answer may take.
    pub limit: Duration,
    /// The name of the topic, the group and the transactional producer.
    pub name: String,
    /// A second topic, whose records bear the broker's time.
    pub clock_topic: String,
    replication: i32,
    /// For questions to the cluster.
    pub admin: AdminClient<DefaultClientContext>,
}

impl Trial {
    /// Makes nothing yet.
    ///
    /// # Errors
    /// When the settings make no client.
    pub fn new(
        kafka: ClientConfig,
        name: &str,
        replication: i32,
        limit: Duration,
    ) -> KafkaResult<Trial> {
        let admin = kafka.create()?;
        let clock_topic = format!("{name}.clock");
        Ok(Trial { kafka, limit, name: name.to_owned(), clock_topic, replication, admin })
    }

    /// How requests are sent.
    pub fn options(&self) -> AdminOptions {
        AdminOptions::new().request_timeout(Some(self.limit)).operation_timeout(Some(self.limit))
    }

    /// Makes the topic as labs do.
    ///
    /// # Errors
    /// With a sentence.
    pub async fn make(&self) -> Result<(), String> {
        let [partitions, _] = PARTITIONS;
        let topic = self.new_topic(&self.name, partitions);
        self.make_one(&topic.set("retention.ms", "-1")).await
    }

    /// Waits until the leaders of the topic's partitions answer.
    ///
    /// # Errors
    /// With a sentence.
    pub async fn be_ready(&self) -> Result<(), String> {
        let [partitions, _] = PARTITIONS;
        self.until_ok(async || self.leaders_answer(&self.name, partitions)).await
    }

    /// Whether the topic is kept on as many brokers as was asked for.
    ///
    /// # Errors
    /// With a sentence.
    pub fn is_kept_as_asked(&self) -> Result<(), String> {
        let replicas = self.replicas(&self.name);
        let replicas = replicas.map_err(|error| format!("made, but not described: {error}"))?;
        compare_replicas(self.replication, &replicas)
    }

    /// Gives the topic one more partition.
    ///
    /// # Errors
    /// With a sentence.
    pub async fn grow(&self) -> Result<String, String> {
        let [_, more] = PARTITIONS;
        let more_partitions = NewPartitions::new(&self.name, more as usize);
        let answers = self.admin.create_partitions([&more_partitions], &self.options()).await;
        let answer = answers.map_err(|error| error.to_string())?.remove(0);
        answer.map_err(|(_, code)| {
            format!(
                "made, but not given more partitions: {code}; ask for the right to alter topics"
            )
        })?;
        self.until_ok(async || self.has_partitions(&self.name, more)).await?;
        Ok("made, described, and given more partitions".to_owned())
    }

    /// Makes the topic whose records bear the broker's time.
    ///
    /// # Errors
    /// With a sentence.
    pub async fn make_for_the_clock(&self) -> Result<(), String> {
        let topic = self.new_topic(&self.clock_topic, 1);
        self.make_one(&topic.set("message.timestamp.type", "LogAppendTime")).await?;
        self.until_ok(async || self.leaders_answer(&self.clock_topic, 1)).await
    }

    fn new_topic<'a>(&self, name: &'a str, partitions: i32) -> NewTopic<'a> {
        NewTopic::new(name, partitions, TopicReplication::Fixed(self.replication))
    }

    async fn make_one(&self, topic: &NewTopic<'_>) -> Result<(), String> {
        let answers = self.admin.create_topics([topic], &self.options()).await;
        let answer = answers.map_err(|error| error.to_string())?.remove(0);
        answer.map(|_| ()).map_err(|(_, code)| format!("cannot be made: {code}"))
    }

    async fn until_ok<T>(&self, ask: impl AsyncFn() -> Result<T, String>) -> Result<T, String> {
        let began = Instant::now();
        loop {
            match ask().await {
                Ok(answer) => return Ok(answer),
                Err(why) if began.elapsed() > self.limit => return Err(format!("made, but {why}")),
                Err(_) => tokio::time::sleep(AGAIN).await,
            }
        }
    }

    fn has_partitions(&self, topic: &str, expected: i32) -> Result<(), String> {
        let found = self.replicas(topic)?.len();
        if found == expected as usize {
            return Ok(());
        }
        Err(format!("expected {expected} partitions, found {found}"))
    }

    /// On how many brokers each partition is kept.
    fn replicas(&self, topic: &str) -> Result<Vec<usize>, String> {
        let asked = self.admin.inner().fetch_metadata(Some(topic), self.limit);
        let metadata = asked.map_err(|error| error.to_string())?;
        let partitions = metadata.topics().iter().flat_map(|topic| topic.partitions());
        Ok(partitions.map(|partition| partition.replicas().len()).collect())
    }

    fn leaders_answer(&self, topic: &str, partitions: i32) -> Result<(), String> {
        self.has_partitions(topic, partitions)?;
        for partition in 0..partitions {
            self.admin
                .inner()
                .fetch_watermarks(topic, partition, self.limit)
                .map_err(|error| format!("partition {partition} has no leader: {error}"))?;
        }
        Ok(())
    }

    /// The settings that the broker has given the topic.
    ///
    /// # Errors
    /// With a sentence.
    pub async fn settings(&self) -> Result<ConfigResource, String> {
        self.until_ok(async || self.settings_now().await).await
    }

    /// The client does not hand on why a broker tells no setting: it may not, or it has not heard of the
    /// topic yet.
    async fn settings_now(&self) -> Result<ConfigResource, String> {
        let question = ResourceSpecifier::Topic(&self.name);
        let answers = self.admin.describe_configs([&question], &self.options()).await;
        let told = answers.map_err(|error| error.to_string())?.into_iter().filter_map(Result::ok);
        let mut told = told.filter(|settings| !settings.entries.is_empty());
        told.next().ok_or_else(|| UNTOLD.to_owned())
    }

    /// On how many brokers the topic is kept.
    pub fn replication(&self) -> i32 {
        self.replication
    }

    /// Removes topics and group, as far as they were made.
    ///
    /// # Errors
    /// With sentences that name what stays.
    pub async fn remove(&self) -> Result<String, String> {
        let stay = [self.remove_group().await, self.remove_topics().await];
        let stay: Vec<_> = stay.into_iter().filter_map(Result::err).collect();
        if stay.is_empty() { Ok(GONE.to_owned()) } else { Err(stay.join("; ")) }
    }

    async fn remove_group(&self) -> Result<(), String> {
        let answers = self.admin.delete_groups(&[&self.name], &self.options()).await;
        let answer = answers.map_err(|error| format!("group {} may stay: {error}", self.name))?;
        match answer.into_iter().next() {
            None | Some(Ok(_) | Err((_, RDKafkaErrorCode::GroupIdNotFound))) => Ok(()),
            Some(Err((group, code))) => {
                Err(format!("group {group} stays ({code}); ask for the right to delete groups"))
            }
        }
    }

    async fn remove_topics(&self) -> Result<(), String> {
        let topics = [self.name.as_str(), self.clock_topic.as_str()];
        let answers = self.admin.delete_topics(&topics, &self.options()).await;
        let answers = answers.map_err(|error| format!("topic {} may stay: {error}", self.name))?;
        for answer in answers {
            match answer {
                Ok(_) | Err((_, RDKafkaErrorCode::UnknownTopicOrPartition)) => {}
                Err((topic, code)) => {
                    return Err(format!(
                        "topic {topic} stays ({code}); ask for the right to delete topics"
                    ));
                }
            }
        }
        Ok(())
    }
}

fn compare_replicas(asked: i32, partitions: &[usize]) -> Result<(), String> {
    match partitions.iter().find(|found| **found != asked as usize) {
        None => Ok(()),
        Some(found) => Err(format!(
            "made with replication factor {found}, expected {asked}, as was asked for; set \
             TIDEMARK_REPLICATION={found}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use rdkafka::consumer::Consumer;
    use rig::Rig;
    use tokio::time::timeout;

    use super::*;
    use crate::records::consumer;

    const LIMIT: Duration = Duration::from_secs(30);

    #[test]
    fn another_number_of_replicas_than_asked_for_is_named() {
        assert_eq!(compare_replicas(3, &[3, 3]), Ok(()));
        let sentence = compare_replicas(1, &[1, 3]).unwrap_err();
        assert!(sentence.starts_with("made with replication factor 3, expected 1"), "{sentence}");
        assert!(sentence.ends_with("set TIDEMARK_REPLICATION=3"), "{sentence}");
    }

    #[tokio::test]
    async fn a_group_that_stays_is_named() {
        let rig = Rig::up().unwrap();
        let name = rig.own_name(&format!("tidemark-check-stays-{}", std::process::id()));
        let trial = Trial::new(rig.kafka(), &name, rig.replication(), LIMIT).unwrap();
        trial.make().await.unwrap();
        trial.be_ready().await.unwrap();
        crate::records::write(&trial, 1).await.unwrap();
        let member = consumer(&rig.kafka(), &name).unwrap();
        member.subscribe(&[&name]).unwrap();
        // It reads, so it is in the group.
        timeout(LIMIT, member.recv()).await.expect("a record in time").unwrap();
        let sentence = trial.remove().await.unwrap_err();
        let expected = format!("group {name} stays (NonEmptyGroup");
        assert!(sentence.starts_with(&expected), "{sentence}");
        drop(member);
        assert_eq!(trial.remove().await.as_deref(), Ok(GONE));
    }
}
