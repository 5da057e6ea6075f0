//! title: Automatic commits are left on
//! file: job.rs
//! caught by: step7_job::at_least_once_on_real_servers_loses_nothing
//!
//! The loop is right and commits last, so all seems well. `enable.auto.commit` is on by default:
//! the client commits every five seconds and when it is closed, and it commits what was polled.

impl KafkaToTable {
    pub async fn open(config: &JobConfig) -> Result<Self, JobError> {
        use crate::broker::{Outsider, partition_list};
        use crate::sink::ensure_tables;
        use crate::start::resolve;
        use rdkafka::consumer::Consumer;

        let JobConfig { kafka, topic, group, start, .. } = config;
        let database = connect(&config.database).await?;
        ensure_tables(&database).await?;
        let outsider = Outsider::new(kafka, topic, group)?;
        let bounds = outsider.bounds()?;
        let position = resolve(&outsider, *start)?;
        let failed = |source| JobError::Kafka { topic: topic.clone(), source };
        let consumer: StreamConsumer = kafka
            .clone()
            .set("group.id", group)
            .set("auto.offset.reset", "error")
            .create()
            .map_err(failed)?;
        let assignment = partition_list(topic, &position).map_err(failed)?;
        consumer.assign(&assignment).map_err(failed)?;
        Ok(Self {
            consumer,
            database,
            topic: topic.clone(),
            group: group.clone(),
            batch_records: config.batch_records.max(1),
            new_rows: 0,
            position,
            bounds,
        })
    }
}
