//! title: A topic of that name is there, and that is good enough
//! file: topic.rs
//! caught by: step3_topic::another_number_of_partitions_is_refused_with_both_numbers
//!
//! "Already exists" is what one wants to hear the second time, so it is taken for success. It only
//! says that the name is taken: with other partitions the keys lie elsewhere.

pub async fn ensure_topic(kafka: &ClientConfig, spec: &TopicSpec) -> Result<Ensured, TopicError> {
    use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
    use rdkafka::client::DefaultClientContext;

    let admin: AdminClient<DefaultClientContext> = kafka.create()?;
    let retention = spec.retention.to_setting();
    let topic =
        NewTopic::new(&spec.name, spec.partitions, TopicReplication::Fixed(spec.replication))
            .set("retention.ms", &retention);
    let options = AdminOptions::new().operation_timeout(Some(BROKER_TIMEOUT));
    match admin.create_topics([&topic], &options).await?.remove(0) {
        Ok(_) => Ok(Ensured::Created),
        Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => Ok(Ensured::AlreadyThere),
        Err((topic, code)) => Err(TopicError::Refused { topic, code }),
    }
}
