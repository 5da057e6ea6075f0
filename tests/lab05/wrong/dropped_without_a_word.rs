//! title: A dropped record is not counted
//! file: board.rs
//! caught by: step6_board::a_dropped_record_is_told_with_its_place_and_the_reason
//!
//! The record is told to whoever called, and the count is left to them. Then the sum of all records no
//! longer comes out, and nobody can say whether something was lost.

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
                outcome.dropped = Some(DroppedRecord { partition, offset, reason });
            }
        }
        self.counts.results += outcome.results.len() as u64;
        if !is_refused {
            let judged = self.watermark.on_record(partition, flight.scheduled_ms, clock);
            self.counts.late += u64::from(judged.is_late());
            outcome.results.extend(self.fire());
        }
        outcome
    }
}
