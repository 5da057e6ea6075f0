//! title: Each flight waits for the delivery of the one before it
//! file: publish.rs
//! caught by: step4_publish::no_flight_waits_for_the_delivery_of_another
//!
//! `FutureProducer::send` reads as if it sent. It is an `async fn`: awaited at once, it waits for the
//! broker's answer; collected and awaited later, it sends nothing until then. Either way each flight
//! pays for its own trip, and the week takes half a minute.
pub async fn publish(
    kafka: &ClientConfig,
    topic: &str,
    flights: &[Flight],
    on_delivery: &mut dyn FnMut(&Delivery),
) -> Result<Vec<Delivery>, PublishError> {
    use crate::record::to_record;
    use crate::topic::broker_timeout;
    use rdkafka::message::{Header, OwnedHeaders};
    use rdkafka::producer::{FutureProducer, FutureRecord};

    let producer: FutureProducer = kafka
        .clone()
        .set("partitioner", "murmur2_random")
        .set("message.timeout.ms", broker_timeout(kafka).as_millis().to_string())
        .create()?;
    let mut deliveries = Vec::with_capacity(flights.len());
    for (index, flight) in flights.iter().enumerate() {
        let record = to_record(flight).map_err(|source| PublishError::Event { index, source })?;
        let headers = record.headers.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
            headers.insert(Header { key, value: Some(value) })
        });
        let outgoing = FutureRecord::to(topic)
            .key(&record.key)
            .timestamp(record.timestamp_ms)
            .headers(headers)
            .payload(&record.payload);
        match producer.send(outgoing, broker_timeout(kafka)).await {
            Ok(placed) => {
                let (partition, offset) = (placed.partition, placed.offset);
                let delivery = Delivery { key: record.key, partition, offset };
                on_delivery(&delivery);
                deliveries.push(delivery);
            }
            Err((source, _)) => {
                return Err(PublishError::NotDelivered { index, key: record.key, source });
            }
        }
    }
    Ok(deliveries)
}
