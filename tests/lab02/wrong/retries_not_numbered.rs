//! title: The producer is not idempotent
//! file: producer.rs
//! caught by: step2_producer::a_retry_writes_nothing_twice
//!
//! `acks=all` sounds like all there is to want. It says when a record counts as written; it doesn't
//! say how often it is written, when an answer is lost and the client sends again.

pub fn producer_config(kafka: &ClientConfig, limits: &ProducerLimits) -> ClientConfig {
    let mut config = kafka.clone();
    config
        .set("acks", "all")
        .set("partitioner", "murmur2_random")
        .set("queue.buffering.max.messages", limits.queued_records.to_string())
        .set("message.timeout.ms", limits.delivery_timeout.as_millis().to_string());
    config
}
