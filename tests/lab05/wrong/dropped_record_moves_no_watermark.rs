//! title: A dropped record moves no watermark
//! file: board.rs
//! caught by: step6_board::a_dropped_record_still_moves_the_watermark_of_its_partition
//!
//! A record that counts for nothing looks as if it could be left out altogether. Then a partition that
//! wakes up with old records stays idle, nobody waits for it, and it goes on losing all that it brings.

impl Board {
    pub fn on_flight(&mut self, arrival: Arrival<'_>, clock: Duration) -> Outcome {
        let Arrival { partition, offset, arrived_ms, flight } = arrival;
        let mut outcome = Outcome::default();
        self.counts.read += 1;
        let passed = self.guard.check(flight.scheduled_ms, arrived_ms);
        let is_refused = passed.is_err();
        let taken = passed.map_err(DropReason::from).and_then(|()| {
            self.aggregation.on_record(flight.scheduled_ms, &flight.origin, flight.delay_min)
        });
        match taken {
            Ok(correction) => outcome.results.extend(correction),
            Err(reason) => {
                self.counts.dropped.add(&reason);
                outcome.dropped = Some(DroppedRecord { partition, offset, reason });
            }
        }
        self.counts.results += outcome.results.len() as u64;
        if outcome.dropped.is_none() {
            let judged = self.watermark.on_record(partition, flight.scheduled_ms, clock);
            self.counts.late += u64::from(judged.is_late());
            outcome.results.extend(self.fire());
        }
        outcome
    }
}
