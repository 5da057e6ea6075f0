//! title: Where records are gone, the client jumps
//! file: job.rs
//! caught by: step7_job::records_deleted_while_the_job_reads_are_no_reason_to_jump
//!
//! `auto.offset.reset=earliest` is in every example, for a group that has no commit yet. It also
//! holds when retention overtakes the reader: the client goes on with the oldest record that is
//! left and says nothing.

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
            .set("enable.auto.commit", "false")
            .set("auto.offset.reset", "earliest")
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
