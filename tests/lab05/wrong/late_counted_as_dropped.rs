//! title: Only dropped records are counted as late
//! file: board.rs
//! caught by: step6_board::late_is_counted_whether_dropped_or_not
//!
//! Late and dropped are one word in most books. Here they are two: late says that the bound is small,
//! dropped says what it has cost.

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
        if !is_refused {
            let judged = self.watermark.on_record(partition, flight.scheduled_ms, clock);
            self.counts.late += u64::from(judged.is_late() && outcome.dropped.is_some());
            outcome.results.extend(self.fire());
        }
        outcome
    }
}
