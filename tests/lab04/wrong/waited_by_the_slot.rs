//! title: The wait is counted on the clock of the slots
//! file: curve.rs
//! caught by: step8_curve::a_result_may_come_before_its_window_ends
//!
//! The watermark moves in event time, so the distance from the end of the window to the slot that
//! moved it seems to be the wait. It is never negative, and nobody has waited by that clock: who
//! looks at the board lives in the other one.

pub fn measure(arrivals: &[Flight], bound: Duration) -> Point {
    use crate::lateness::Arrivals;
    use std::collections::BTreeSet;

    let mut stream = Arrivals::new(bound);
    let mut open_ends_ms = BTreeSet::new();
    let (mut dropped, mut waits_ms) = (0, Vec::new());
    for flight in arrivals {
        let judged = stream.on_record(flight.scheduled_ms);
        let end_ms = window_end_ms(flight.scheduled_ms);
        if judged.watermark_ms.is_some_and(|watermark_ms| end_ms <= watermark_ms) {
            dropped += 1;
        } else {
            open_ends_ms.insert(end_ms);
        }
        while let Some(end_ms) = open_ends_ms.first().copied()
            && stream.watermark_ms() >= Some(end_ms)
        {
            open_ends_ms.remove(&end_ms);
            waits_ms.push(flight.scheduled_ms.saturating_sub(end_ms));
        }
    }
    Point {
        bound,
        records: arrivals.len() as u64,
        late: stream.counts().late,
        dropped,
        waits_ms,
        open_at_end: open_ends_ms.len() as u64,
    }
}
