//! title: Each delivery is waited for, and all are told at the end
//! file: publish.rs
//! caught by: step4_publish::no_flight_waits_for_the_delivery_of_another
//!
//! `send` is the call that one reads about first, and its future is the delivery. Awaited in the loop, each flight waits
//! for the one before it. Told at the end, the deliveries look as if they had been on their way together.

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
    use rdkafka::util::Timeout;

    let producer: FutureProducer = kafka
        .clone()
        .set("partitioner", "murmur2_random")
        .set("max.in.flight.requests.per.connection", "1")
        // Five minutes by default: too long to wait for a broker that is not there.
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
        let key = record.key.clone();
        match producer.send(outgoing, Timeout::Never).await {
            Ok(placed) => {
                deliveries.push(Delivery { key, partition: placed.partition, offset: placed.offset });
            }
            Err((source, _)) => return Err(PublishError::NotDelivered { index, key, source }),
        }
    }
    deliveries.iter().for_each(|delivery| on_delivery(delivery));
    Ok(deliveries)
}
