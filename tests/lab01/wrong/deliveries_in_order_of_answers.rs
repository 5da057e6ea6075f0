//! title: The deliveries stand in the order in which they came back
//! file: publish.rs
//! caught by: step4_publish::each_flight_has_a_delivery_that_says_where_it_lies
//!
//! Each delivery is noted when its answer comes, by a callback or from a set of futures. The
//! answers of one partition come together, and so delivery 5 is not that of flight 5.

pub async fn publish(
    kafka: &ClientConfig,
    topic: &str,
    flights: &[Flight],
    on_delivery: &mut dyn FnMut(&Delivery),
) -> Result<Vec<Delivery>, PublishError> {
    use crate::topic::broker_timeout;
    use rdkafka::message::{Header, OwnedHeaders};
    use rdkafka::producer::{FutureProducer, FutureRecord};
    use tokio::task::JoinSet;

    let producer: FutureProducer = kafka
        .clone()
        .set("partitioner", "murmur2_random")
        .set("max.in.flight.requests.per.connection", "1")
        .set("message.timeout.ms", broker_timeout(kafka).as_millis().to_string())
        .create()?;
    let mut answers = JoinSet::new();
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
            Ok(delivery) => {
                answers.spawn(async move { (index, record.key, delivery.await) });
            }
            Err((source, _)) => {
                return Err(PublishError::NotDelivered { index, key: record.key, source });
            }
        }
    }
    let mut deliveries = Vec::new();
    while let Some(answer) = answers.join_next().await {
        let (index, key, answer) = answer.expect("the task does not panic");
        match answer.expect("the producer lives") {
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
