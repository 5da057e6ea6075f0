//! title: A record that nobody takes is kept for five minutes
//! file: publish.rs
//! caught by: step4_publish::a_broker_that_is_not_there_is_an_error_in_time
//!
//! `send` was given ten seconds, so ten seconds it will be. Those are for a full queue only; once a
//! record is queued, `message.timeout.ms` counts, and that is five minutes if nobody sets it.

pub async fn publish(
    kafka: &ClientConfig,
    topic: &str,
    flights: &[Flight],
    on_delivery: &mut dyn FnMut(&Delivery),
) -> Result<Vec<Delivery>, PublishError> {
    use crate::topic::BROKER_TIMEOUT;
    use rdkafka::message::{Header, OwnedHeaders};
    use rdkafka::producer::{FutureProducer, FutureRecord};

    let producer: FutureProducer = kafka.clone().set("partitioner", "murmur2_random").create()?;
    let mut deliveries = Vec::new();
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
        let key = record.key.clone();
        match producer.send(outgoing, BROKER_TIMEOUT).await {
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
