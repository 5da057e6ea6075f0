//! title: The description says what was asked for
//! file: topic.rs
//! caught by: step3_topic::a_description_is_what_the_broker_has
//!
//! Partitions and replicas come with the metadata. The retention does not, and since this program
//! makes all its topics with "forever", that is what it says, whatever the broker has.

pub async fn describe_topic(
    kafka: &ClientConfig,
    name: &str,
) -> Result<TopicDescription, TopicError> {
    use rdkafka::consumer::{BaseConsumer, Consumer};

    let consumer: BaseConsumer = kafka.create()?;
    let metadata = consumer.fetch_metadata(Some(name), broker_timeout(kafka))?;
    let topic = &metadata.topics()[0];
    if topic.error().is_some() {
        return Err(TopicError::Missing { topic: name.to_owned() });
    }
    Ok(TopicDescription {
        partitions: topic.partitions().len() as i32,
        replication: topic.partitions()[0].replicas().len() as i32,
        retention: Retention::Forever,
    })
}
