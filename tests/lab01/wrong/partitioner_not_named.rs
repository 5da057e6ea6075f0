//! title: The client chooses its own partitioner
//! file: publish.rs
//! caught by: step4_publish::each_airport_is_on_the_partition_that_kafkas_own_tools_choose
//!
//! The key decides the partition, so there seems to be nothing to set. But librdkafka hashes keys
//! with CRC32 and Kafka's own clients with murmur2: two programs put one key on two partitions.

pub async fn publish(
    kafka: &ClientConfig,
    topic: &str,
    flights: &[Flight],
    on_delivery: &mut dyn FnMut(&Delivery),
) -> Result<Vec<Delivery>, PublishError> {
    use crate::topic::broker_timeout;
    use rdkafka::message::{Header, OwnedHeaders};
    use rdkafka::producer::{FutureProducer, FutureRecord};

    let producer: FutureProducer = kafka
        .clone()
        .set("max.in.flight.requests.per.connection", "1")
        .set("message.timeout.ms", broker_timeout(kafka).as_millis().to_string())
        .create()?;
    let mut sent = Vec::new();
    for (index, flight) in flights.iter().enumerate() {
        let record = crate::record::to_record(flight)
            .map_err(|source| PublishError::Event { index, source })?;
        let headers = record.headers.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
            headers.insert(Header { key, value: Some(value) })
        });
        let outgoing = FutureRecord::to(topic)
            .key(&record.key)
            .timestamp(record.timestamp_ms)
            .headers(headers)
            .payload(&record.payload);
        match producer.send_result(outgoing) {
            Ok(delivery) => sent.push((record.key, delivery)),
            Err((source, _)) => {
                return Err(PublishError::NotDelivered { index, key: record.key, source });
            }
        }
    }
    let mut deliveries = Vec::new();
    for (index, (key, delivery)) in sent.into_iter().enumerate() {
        match delivery.await.expect("the producer lives") {
            Ok(placed) => {
                let delivery = Delivery { key, partition: placed.partition, offset: placed.offset };
                on_delivery(&delivery);
                deliveries.push(delivery);
            }
            Err((source, _)) => return Err(PublishError::NotDelivered { index, key, source }),
        }
    }
    Ok(deliveries)
}
