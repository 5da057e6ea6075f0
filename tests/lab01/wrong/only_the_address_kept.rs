//! title: Only the address is taken from the client's settings
//! file: publish.rs
//! caught by: step4_publish::every_setting_of_the_client_is_kept
//!
//! A producer needs to know where the broker is, and every example begins with that one setting. On a
//! machine of one's own nothing is missed. Where the broker wants a password, the other settings
//! have it.

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

    let producer: FutureProducer = ClientConfig::new()
        .set("bootstrap.servers", kafka.get("bootstrap.servers").unwrap_or_default())
        .set("partitioner", "murmur2_random")
        .set("max.in.flight.requests.per.connection", "1")
        // Five minutes by default: too long to wait for a broker that is not there.
        .set("message.timeout.ms", broker_timeout(kafka).as_millis().to_string())
        .create()?;

    // Send without waiting, in order; the client fills its batches meanwhile.
    let mut sent = Vec::with_capacity(flights.len());
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
        match producer.send_result(outgoing) {
            Ok(delivery) => sent.push((record.key, delivery)),
            Err((source, _)) => {
                return Err(PublishError::NotDelivered { index, key: record.key, source });
            }
        }
    }

    // A record that was sent is a record that may be lost. Only the answer says where it is.
    let mut deliveries = Vec::with_capacity(sent.len());
    for (index, (key, delivery)) in sent.into_iter().enumerate() {
        let answer = match delivery.await {
            Ok(Ok(placed)) => Ok(placed),
            Ok(Err((source, _))) => Err(source),
            Err(_) => Err(KafkaError::Canceled),
        };
        match answer {
            Ok(placed) => {
                let delivery = Delivery { key, partition: placed.partition, offset: placed.offset };
                on_delivery(&delivery);
                deliveries.push(delivery);
            }
            Err(source) => return Err(PublishError::NotDelivered { index, key, source }),
        }
    }
    Ok(deliveries)
}
