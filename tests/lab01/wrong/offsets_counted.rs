//! title: The records are sent, and the offsets are counted
//! file: publish.rs
//! caught by: step4_publish::each_flight_has_a_delivery_that_says_where_it_lies
//!
//! Nobody waits for an answer: what was sent is there, and an offset is a number that goes up by
//! one. That holds as long as the topic is empty, this program is alone and nothing ever fails.

pub async fn publish(
    kafka: &ClientConfig,
    topic: &str,
    flights: &[Flight],
    on_delivery: &mut dyn FnMut(&Delivery),
) -> Result<Vec<Delivery>, PublishError> {
    use crate::topic::broker_timeout;
    use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
    use std::collections::HashMap;
    use std::time::Duration;

    let producer: BaseProducer = kafka
        .clone()
        .set("partitioner", "murmur2_random")
        .set("message.timeout.ms", broker_timeout(kafka).as_millis().to_string())
        .create()?;
    let mut next_offset: HashMap<i32, i64> = HashMap::new();
    let mut deliveries = Vec::new();
    for (index, flight) in flights.iter().enumerate() {
        let record = crate::record::to_record(flight)
            .map_err(|source| PublishError::Event { index, source })?;
        let partition = if record.key == "LGA" { 0 } else { 1 };
        let outgoing = BaseRecord::to(topic)
            .key(&record.key)
            .timestamp(record.timestamp_ms)
            .payload(&record.payload);
        producer.send(outgoing).map_err(|(source, _)| PublishError::Producer(source))?;
        let offset = next_offset.entry(partition).or_default();
        let delivery = Delivery { key: record.key, partition, offset: *offset };
        *offset += 1;
        on_delivery(&delivery);
        deliveries.push(delivery);
    }
    producer.flush(Duration::from_secs(10))?;
    Ok(deliveries)
}
