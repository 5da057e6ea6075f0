//! title: The record's own timestamp is taken for the event time
//! file: reader.rs
//! caught by: step7_reader::a_reader_sees_the_watermark_before_and_after_each_record
//!
//! It is called the timestamp of the record, and the client hands it over before the payload is
//! even parsed. It is the departure. By this clock nothing is ever out of order, and nothing is
//! ever late.

impl Reader {
    fn see(&mut self) -> Result<Option<Seen>, ReadError> {
        use lab01::event::decode;
        use rdkafka::message::Message;

        if self.unread_ends.is_empty() && !self.said_caught_up {
            self.said_caught_up = true;
            return Ok(Some(Seen::CaughtUp));
        }
        let idle_before = self.watermark.idle().clone();
        let clock = self.began.elapsed();
        self.watermark.on_time(clock);
        let partitions: Vec<i32> =
            self.watermark.idle().difference(&idle_before).copied().collect();
        if !partitions.is_empty() {
            let watermark_ms = self.watermark.current_ms();
            return Ok(Some(Seen::Idle { partitions, watermark_ms }));
        }
        let message = match self.consumer.poll(POLL) {
            None => return Ok(None),
            Some(Ok(message)) => message,
            Some(Err(source)) => {
                return Err(ReadError::Broker { topic: self.topic.clone(), source });
            }
        };
        let (partition, offset) = (message.partition(), message.offset());
        if self.unread_ends.get(&partition).is_some_and(|end| offset + 1 >= *end) {
            self.unread_ends.remove(&partition);
        }
        let flight = match decode(message.payload().unwrap_or_default()) {
            Ok(flight) => flight,
            Err(error) => {
                let reason = Unreadable::Event(error);
                return Ok(Some(Seen::Unreadable { partition, offset, reason }));
            }
        };
        let Some(arrived_ms) = message.timestamp().to_millis() else {
            let reason = Unreadable::NoTimestamp;
            return Ok(Some(Seen::Unreadable { partition, offset, reason }));
        };
        if let Err(reason) = self.guard.check(flight.scheduled_ms, arrived_ms) {
            return Ok(Some(Seen::Refused { partition, offset, reason }));
        }
        let judged = self.watermark.on_record(partition, arrived_ms, clock);
        let watermark_ms = self.watermark.current_ms();
        Ok(Some(Seen::Flight { partition, offset, flight, judged, watermark_ms }))
    }
}
