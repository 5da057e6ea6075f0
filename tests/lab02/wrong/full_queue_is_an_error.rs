//! title: A full queue counts as a failure
//! file: producer.rs
//! caught by: step2_producer::a_full_queue_is_a_wait
//!
//! `send` asks how long it may wait for room, and zero looks like the quick choice. Then every burst
//! that is larger than the queue loses records, and no broker was ever at fault.

pub async fn send_one(
    producer: &FutureProducer,
    topic: &str,
    record: &Record,
) -> Result<Delivered, NotDelivered> {
    match producer.send(record.to_outgoing(topic), std::time::Duration::ZERO).await {
        Ok(placed) => Ok(Delivered { partition: placed.partition, offset: placed.offset }),
        Err((error, _)) => Err(NotDelivered::new(topic, record.clone(), error)),
    }
}
