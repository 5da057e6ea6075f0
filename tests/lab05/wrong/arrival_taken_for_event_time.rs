//! title: The arrival is taken for the event time
//! file: board.rs
//! caught by: step6_board::a_flight_counts_for_its_slot_and_not_for_its_arrival
//!
//! The record has a timestamp of its own, and every Kafka tool shows it. But it is the arrival: windows by
//! it are windows by processing time, in which nothing is ever late and nothing is ever right.

impl Board {
    pub fn on_flight(&mut self, arrival: Arrival<'_>, clock: Duration) -> Outcome {
        let Arrival { partition, offset, arrived_ms, flight } = arrival;
        let mut outcome = Outcome::default();
        self.counts.read += 1;
        let passed = self.guard.check(flight.scheduled_ms, arrived_ms);
        let is_refused = passed.is_err();
        let taken = passed.map_err(DropReason::from).and_then(|()| {
            self.aggregation.on_record(arrived_ms, &flight.origin, flight.delay_min)
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
            let judged = self.watermark.on_record(partition, arrived_ms, clock);
            self.counts.late += u64::from(judged.is_late());
            outcome.results.extend(self.fire());
        }
        outcome
    }
}
