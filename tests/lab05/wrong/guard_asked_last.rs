//! title: The guard is asked last
//! file: board.rs
//! caught by: step6_board::a_record_that_the_guard_refuses_changes_nothing_but_the_counts
//!
//! Window and watermark first, then a look at whether the record could be true. By then the watermark is
//! in the year 2031, every window has fired, and every record to come is dropped.

impl Board {
    pub fn on_flight(&mut self, arrival: Arrival<'_>, clock: Duration) -> Outcome {
        let Arrival { partition, offset, arrived_ms, flight } = arrival;
        let mut outcome = Outcome::default();
        self.counts.read += 1;
        let judged = self.watermark.on_record(partition, flight.scheduled_ms, clock);
        self.counts.late += u64::from(judged.is_late());
        let passed = self.guard.check(flight.scheduled_ms, arrived_ms);
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
        outcome.results.extend(self.fire());
        outcome
    }
}
