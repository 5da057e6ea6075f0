//! title: The leader's word is enough
//! file: producer.rs
//! caught by: step2_producer::a_delivery_is_the_word_of_every_replica_in_sync
//!
//! `acks=1` is faster, and for years it was the default of Kafka's own client. A record that only
//! the leader has is gone with the leader.

pub fn producer_config(kafka: &ClientConfig, limits: &ProducerLimits) -> ClientConfig {
    let mut config = kafka.clone();
    config
        .set("acks", "1")
        .set("partitioner", "murmur2_random")
        .set("queue.buffering.max.messages", limits.queued_records.to_string())
        .set("message.timeout.ms", limits.delivery_timeout.as_millis().to_string());
    config
}
