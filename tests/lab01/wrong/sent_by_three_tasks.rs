//! title: Three tasks send at the same time
//! file: publish.rs
//! caught by: step4_publish::the_flights_of_an_airport_stay_in_order
//!
//! To wait for each delivery before the next send is slow, so the list is shared out among tasks.
//! Each task keeps its own part in order; between the parts, whoever sends first is first.

pub async fn publish(
    kafka: &ClientConfig,
    topic: &str,
    flights: &[Flight],
    on_delivery: &mut dyn FnMut(&Delivery),
) -> Result<Vec<Delivery>, PublishError> {
    use crate::topic::broker_timeout;
    use rdkafka::message::{Header, OwnedHeaders};
    use rdkafka::producer::{FutureProducer, FutureRecord};
    use std::time::Duration;

    async fn send_part(
        producer: FutureProducer,
        topic: String,
        flights: Vec<(usize, Flight)>,
    ) -> Result<Vec<(usize, Delivery)>, PublishError> {
        let mut deliveries = Vec::new();
        for (index, flight) in flights {
            let record = crate::record::to_record(&flight)
                .map_err(|source| PublishError::Event { index, source })?;
            let headers =
                record.headers.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
                    headers.insert(Header { key, value: Some(value) })
                });
            let outgoing = FutureRecord::to(&topic)
                .key(&record.key)
                .timestamp(record.timestamp_ms)
                .headers(headers)
                .payload(&record.payload);
            let key = record.key.clone();
            match producer.send(outgoing, Duration::from_secs(10)).await {
                Ok(placed) => {
                    let (partition, offset) = (placed.partition, placed.offset);
                    deliveries.push((index, Delivery { key, partition, offset }));
                }
                Err((source, _)) => return Err(PublishError::NotDelivered { index, key, source }),
            }
        }
        Ok(deliveries)
    }

    let producer: FutureProducer = kafka
        .clone()
        .set("partitioner", "murmur2_random")
        .set("linger.ms", "0")
        .set("message.timeout.ms", broker_timeout(kafka).as_millis().to_string())
        .create()?;
    let numbered: Vec<(usize, Flight)> = flights.iter().cloned().enumerate().collect();
    let tasks: Vec<_> = numbered
        .chunks(flights.len().div_ceil(3).max(1))
        .map(|part| send_part(producer.clone(), topic.to_owned(), part.to_vec()))
        .map(tokio::spawn)
        .collect();
    let mut deliveries = Vec::new();
    for task in tasks {
        deliveries.extend(task.await.expect("the task does not panic")?);
    }
    deliveries.sort_by_key(|(index, _)| *index);
    let deliveries: Vec<Delivery> = deliveries.into_iter().map(|(_, delivery)| delivery).collect();
    deliveries.iter().for_each(on_delivery);
    Ok(deliveries)
}
