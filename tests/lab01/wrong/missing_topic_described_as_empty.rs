//! title: A topic that is not there has no partitions
//! file: topic.rs
//! caught by: step3_topic::to_ask_for_a_topic_does_not_make_it
//!
//! The broker answers with metadata for every name it is asked for. That there is no such topic
//! stands in a field of the answer; who reads only the list of partitions finds it empty.

pub async fn describe_topic(
    kafka: &ClientConfig,
    name: &str,
) -> Result<TopicDescription, TopicError> {
    use rdkafka::consumer::{BaseConsumer, Consumer};

    let consumer: BaseConsumer = kafka.create()?;
    let metadata = consumer.fetch_metadata(Some(name), broker_timeout(kafka))?;
    let partitions = metadata.topics()[0].partitions();
    Ok(TopicDescription {
        partitions: partitions.len() as i32,
        replication: partitions.first().map_or(0, |first| first.replicas().len() as i32),
        retention: Retention::Forever,
    })
}
