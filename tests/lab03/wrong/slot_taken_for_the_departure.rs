//! title: The slot is taken for the departure
//! file: job.rs
//! caught by: step7_job::a_row_has_the_departure_of_its_record_and_the_slot_of_its_flight
//!
//! `scheduled_ms` is at hand and looks like the time of the flight. Both columns then say the same, and a board
//! made of them shows no delay at all.

impl Effects for KafkaToTable {
    fn process(&mut self, record: &Record) -> Result<Row, JobError> {
        use lab01::event::decode;

        let Record { partition, offset, ref payload, .. } = *record;
        let flight = decode(payload).map_err(|error| JobError::BadRecord {
            topic: self.topic.clone(),
            partition,
            offset,
            reason: error.to_string(),
        })?;
        Ok(Row { partition, offset, departed_ms: flight.scheduled_ms, flight })
    }
}
