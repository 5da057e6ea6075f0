//! title: Every late record is counted as dropped
//! file: curve.rs
//! caught by: step8_curve::late_and_dropped_are_those_of_the_book
//!
//! Late and dropped are one word in some systems. Here a late record may still find its window
//! open, and of the late flights of the storm week more than half do.

pub fn measure(arrivals: &[Flight], bound: Duration) -> Point {
    use crate::lateness::Arrivals;
    use std::collections::BTreeSet;

    let mut stream = Arrivals::new(bound);
    let mut open_ends_ms = BTreeSet::new();
    let (mut dropped, mut waits_ms) = (0, Vec::new());
    for flight in arrivals {
        let judged = stream.on_record(flight.scheduled_ms);
        let end_ms = window_end_ms(flight.scheduled_ms);
        if judged.is_late() {
            dropped += 1;
        } else {
            open_ends_ms.insert(end_ms);
        }
        while let Some(end_ms) = open_ends_ms.first().copied()
            && stream.watermark_ms() >= Some(end_ms)
        {
            open_ends_ms.remove(&end_ms);
            waits_ms.push(flight.departed_ms().saturating_sub(end_ms));
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
