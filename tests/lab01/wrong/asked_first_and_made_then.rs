//! title: First it is asked whether the topic is there, then it is made
//! file: topic.rs
//! caught by: step3_topic::of_several_calls_at_once_one_makes_the_topic
//!
//! To look first and to make what is missing is how a person would do it. Two programs that start
//! together both look, both see nothing, and the second one fails.

pub async fn ensure_topic(kafka: &ClientConfig, spec: &TopicSpec) -> Result<Ensured, TopicError> {
    use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
    use rdkafka::client::DefaultClientContext;

    match describe_topic(kafka, &spec.name).await {
        Ok(found) if found.partitions == spec.partitions => return Ok(Ensured::AlreadyThere),
        Ok(TopicDescription { partitions: found, .. }) => {
            let topic = spec.name.clone();
            return Err(TopicError::OtherPartitions { topic, expected: spec.partitions, found });
        }
        Err(TopicError::Missing { .. }) => {}
        Err(error) => return Err(error),
    }
    let admin: AdminClient<DefaultClientContext> = kafka.create()?;
    let retention = spec.retention.to_setting();
    let topic =
        NewTopic::new(&spec.name, spec.partitions, TopicReplication::Fixed(spec.replication))
            .set("retention.ms", &retention);
    let options = AdminOptions::new().operation_timeout(Some(broker_timeout(kafka)));
    match admin.create_topics([&topic], &options).await?.remove(0) {
        Ok(_) => Ok(Ensured::Created),
        Err((topic, code)) => Err(TopicError::Refused { topic, code }),
    }
}
