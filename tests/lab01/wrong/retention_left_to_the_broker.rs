//! title: The retention is left to the broker
//! file: topic.rs
//! caught by: step3_topic::a_new_topic_has_what_was_asked_for
//!
//! Name, partitions and replicas are what the call asks for, so the retention is forgotten. The
//! broker's own is a week, counted from the record's timestamp; the flights are of 2013.

pub async fn ensure_topic(kafka: &ClientConfig, spec: &TopicSpec) -> Result<Ensured, TopicError> {
    use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
    use rdkafka::client::DefaultClientContext;

    let admin: AdminClient<DefaultClientContext> = kafka.create()?;
    let topic =
        NewTopic::new(&spec.name, spec.partitions, TopicReplication::Fixed(spec.replication));
    let options = AdminOptions::new().operation_timeout(Some(BROKER_TIMEOUT));
    match admin.create_topics([&topic], &options).await?.remove(0) {
        Ok(_) => return Ok(Ensured::Created),
        Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
        Err((topic, code)) => return Err(TopicError::Refused { topic, code }),
    }
    let found = describe_known_topic(kafka, &spec.name).await?.partitions;
    if found == spec.partitions {
        return Ok(Ensured::AlreadyThere);
    }
    let topic = spec.name.clone();
    Err(TopicError::OtherPartitions { topic, expected: spec.partitions, found })
}
