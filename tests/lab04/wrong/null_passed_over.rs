//! title: A record without a payload is nothing
//! file: reader.rs
//! caught by: step7_reader::what_is_refused_or_unreadable_is_told_and_moves_nothing
//!
//! There is nothing to decode, so nothing was seen. But there was a record, with an offset. Who counts what was told
//! misses one, and nobody says why.

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
        let Some(payload) = message.payload() else { return Ok(None) };
        let flight = match decode(payload) {
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
