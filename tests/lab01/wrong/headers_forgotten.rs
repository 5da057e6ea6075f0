//! title: The headers stay at home
//! file: publish.rs
//! caught by: step4_publish::key_timestamp_headers_and_payload_arrive
//!
//! Key, timestamp and payload have a method each on the outgoing record and are soon set. The
//! headers need a type of their own to be built, nothing complains without them, and they are left.

pub async fn publish(
    kafka: &ClientConfig,
    topic: &str,
    flights: &[Flight],
    on_delivery: &mut dyn FnMut(&Delivery),
) -> Result<Vec<Delivery>, PublishError> {
    use crate::topic::broker_timeout;
    use rdkafka::producer::{FutureProducer, FutureRecord};

    let producer: FutureProducer = kafka
        .clone()
        .set("partitioner", "murmur2_random")
        .set("max.in.flight.requests.per.connection", "1")
        .set("message.timeout.ms", broker_timeout(kafka).as_millis().to_string())
        .create()?;
    let mut sent = Vec::new();
    for (index, flight) in flights.iter().enumerate() {
        let record = crate::record::to_record(flight)
            .map_err(|source| PublishError::Event { index, source })?;
        let outgoing = FutureRecord::to(topic)
            .key(&record.key)
            .timestamp(record.timestamp_ms)
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
