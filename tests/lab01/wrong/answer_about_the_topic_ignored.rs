//! title: The call succeeded, so the topic must be there
//! file: topic.rs
//! caught by: step3_topic::a_topic_that_the_broker_refuses_is_not_created
//!
//! `create_topics(…).await?` reads as if it were done. The `?` is about the conversation; what the
//! broker says of each topic stands in the answer, and nobody has looked at it.

pub async fn ensure_topic(kafka: &ClientConfig, spec: &TopicSpec) -> Result<Ensured, TopicError> {
    use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
    use rdkafka::client::DefaultClientContext;

    let admin: AdminClient<DefaultClientContext> = kafka.create()?;
    let retention = spec.retention.to_setting();
    let topic =
        NewTopic::new(&spec.name, spec.partitions, TopicReplication::Fixed(spec.replication))
            .set("retention.ms", &retention);
    admin.create_topics([&topic], &AdminOptions::new()).await?;
    Ok(Ensured::Created)
}
