//! title: Time passes only while no record comes
//! file: reader.rs
//! caught by: step7_reader::time_passes_while_other_partitions_are_busy
//!
//! A poll that brings nothing is the natural moment to look at the clock. On a busy topic every
//! poll brings something, and the one silent partition holds the board still all day long.

impl Reader {
    fn see(&mut self) -> Result<Option<Seen>, ReadError> {
        use lab01::event::decode;
        use rdkafka::message::Message;

        if self.unread_ends.is_empty() && !self.said_caught_up {
            self.said_caught_up = true;
            return Ok(Some(Seen::CaughtUp));
        }
        let message = match self.consumer.poll(POLL) {
            None => {
                let idle_before = self.watermark.idle().clone();
                self.watermark.on_time(self.began.elapsed());
                let partitions: Vec<i32> =
                    self.watermark.idle().difference(&idle_before).copied().collect();
                let watermark_ms = self.watermark.current_ms();
                let idle = Seen::Idle { partitions, watermark_ms };
                return Ok(
                    (!matches!(&idle, Seen::Idle { partitions, .. } if partitions.is_empty()))
                        .then_some(idle),
                );
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
        let clock = self.began.elapsed();
        let judged = self.watermark.on_record(partition, flight.scheduled_ms, clock);
        let watermark_ms = self.watermark.current_ms();
        Ok(Some(Seen::Flight { partition, offset, flight, judged, watermark_ms }))
    }
}
