//! title: A poll waits for each record
//! file: job.rs
//! caught by: step7_job::a_poll_waits_for_its_first_record_alone
//!
//! One wait for all of them is the shorter code. With a record every 90 ms no wait ever comes to its end: a
//! batch of 1,000 is then written after a minute and a half.

impl Effects for KafkaToTable {
    async fn poll(&mut self) -> Result<Vec<Record>, JobError> {
        use rdkafka::Message;
        use rdkafka::error::RDKafkaErrorCode;

        let mut records = Vec::new();
        while records.len() < self.batch_records {
            let next = tokio::time::timeout(POLL_WAIT, self.consumer.recv()).await.ok();
            let Some(answer) = next else { break };
            let message = answer.map_err(|source| match source.rdkafka_error_code() {
                Some(RDKafkaErrorCode::AutoOffsetReset) => {
                    JobError::Gone { topic: self.topic.clone() }
                }
                _ => JobError::Kafka { topic: self.topic.clone(), source },
            })?;
            self.position.insert(message.partition(), message.offset() + 1);
            records.push(Record {
                partition: message.partition(),
                offset: message.offset(),
                timestamp_ms: message.timestamp().to_millis().unwrap_or(-1),
                payload: message.payload().unwrap_or_default().to_vec(),
            });
        }
        Ok(records)
    }
}
