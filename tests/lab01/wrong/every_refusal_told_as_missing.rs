//! title: Whatever the broker says of a topic, it is missing
//! file: topic.rs
//! caught by: step3_topic::a_topic_of_which_the_broker_does_not_tell_is_not_a_missing_one
//!
//! The error in the metadata was always the same one while this was written. It is another one for a
//! name that no topic may have, and for a user who may not see the topic: a topic that is there.

pub async fn describe_topic(
    kafka: &ClientConfig,
    name: &str,
) -> Result<TopicDescription, TopicError> {
    use rdkafka::admin::{AdminClient, AdminOptions, ResourceSpecifier};
    use rdkafka::client::DefaultClientContext;

    let admin: AdminClient<DefaultClientContext> = kafka.create()?;
    let timeout = broker_timeout(kafka);
    let missing = || TopicError::Missing { topic: name.to_owned() };

    // Partitions and replicas are metadata; retention is configuration. Two questions.
    let metadata = admin.inner().fetch_metadata(Some(name), timeout)?;
    let topic = metadata.topics().first().ok_or_else(missing)?;
    if topic.error().is_some() {
        return Err(missing());
    }
    let replication = topic.partitions().iter().map(|p| p.replicas().len()).min().unwrap_or(0);

    let options = AdminOptions::new().request_timeout(Some(timeout));
    let answers = admin.describe_configs([&ResourceSpecifier::Topic(name)], &options).await?;
    let config = match answers.into_iter().next() {
        Some(Ok(config)) => config,
        _ => return Err(missing()),
    };
    let retention = config
        .get("retention.ms")
        .and_then(|entry| entry.value.as_deref())
        .and_then(Retention::from_setting)
        .ok_or(TopicError::Refused {
            topic: name.to_owned(),
            code: RDKafkaErrorCode::InvalidConfig,
        })?;
    Ok(TopicDescription {
        partitions: topic.partitions().len() as i32,
        replication: replication as i32,
        retention,
    })
}
