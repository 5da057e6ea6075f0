//! title: A topic with too few partitions is given more
//! file: topic.rs
//! caught by: step3_topic::another_number_of_partitions_is_refused_with_both_numbers
//!
//! "Ensure" sounds as if the topic had to be made to fit, and Kafka can add partitions. But a key
//! is on `hash mod partitions`: from now on its records go elsewhere, and its order is gone.

pub async fn ensure_topic(kafka: &ClientConfig, spec: &TopicSpec) -> Result<Ensured, TopicError> {
    use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
    use rdkafka::client::DefaultClientContext;

    let admin: AdminClient<DefaultClientContext> = kafka.create()?;
    let retention = spec.retention.to_setting();
    let topic =
        NewTopic::new(&spec.name, spec.partitions, TopicReplication::Fixed(spec.replication))
            .set("retention.ms", &retention);
    let options = AdminOptions::new().operation_timeout(Some(BROKER_TIMEOUT));
    match admin.create_topics([&topic], &options).await?.remove(0) {
        Ok(_) => return Ok(Ensured::Created),
        Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
        Err((topic, code)) => return Err(TopicError::Refused { topic, code }),
    }
    let found = describe_known_topic(kafka, &spec.name).await?.partitions;
    if found < spec.partitions {
        let more = NewPartitions::new(&spec.name, spec.partitions as usize);
        let answer = admin.create_partitions([&more], &options).await?.remove(0);
        answer.map_err(|(topic, code)| TopicError::Refused { topic, code })?;
    }
    Ok(Ensured::AlreadyThere)
}
