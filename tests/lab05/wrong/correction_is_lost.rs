//! title: The correction is overwritten by what fires
//! file: board.rs
//! caught by: step6_board::a_correction_is_among_the_results_of_its_record
//!
//! Two places give results, and one variable takes them. A correction is rare beside the windows that
//! fire, so it is not missed until somebody counts.

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
            self.counts.late += u64::from(judged.is_late());
            outcome.results = self.fire();
        }
        outcome
    }
}
