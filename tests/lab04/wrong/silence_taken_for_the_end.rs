//! title: When a poll brings nothing, the end is told
//! file: reader.rs
//! caught by: step7_reader::a_poll_that_brings_nothing_is_not_the_end
//!
//! In a test the first empty poll comes after the last record. In life it comes at the start, while
//! the client is still connecting, and after every pause of the network. The end is where the
//! offsets say.

impl Reader {
    fn see(&mut self) -> Result<Option<Seen>, ReadError> {
        use lab01::event::decode;
        use rdkafka::message::Message;

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
            None if self.said_caught_up => return Ok(None),
            None => {
                self.said_caught_up = true;
                return Ok(Some(Seen::CaughtUp));
            }
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
        let judged = self.watermark.on_record(partition, flight.scheduled_ms, clock);
        let watermark_ms = self.watermark.current_ms();
        Ok(Some(Seen::Flight { partition, offset, flight, judged, watermark_ms }))
    }
}
