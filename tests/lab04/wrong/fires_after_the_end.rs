//! title: A window fires when the watermark is beyond its end
//! file: curve.rs
//! caught by: step8_curve::a_window_fires_when_the_watermark_is_at_its_end
//!
//! `<` for `<=`. The end of a window is not in it, so at watermark 07:00 the window until 07:00 is
//! complete. To wait for a millisecond more means to wait for the next flight.

pub fn measure(arrivals: &[Flight], bound: Duration) -> Point {
    use crate::lateness::Arrivals;
    use std::collections::BTreeSet;

    let mut stream = Arrivals::new(bound);
    let mut open_ends_ms = BTreeSet::new();
    let (mut dropped, mut waits_ms) = (0, Vec::new());
    for flight in arrivals {
        let judged = stream.on_record(flight.scheduled_ms);
        let end_ms = window_end_ms(flight.scheduled_ms);
        if judged.watermark_ms.is_some_and(|watermark_ms| end_ms < watermark_ms) {
            dropped += 1;
        } else {
            open_ends_ms.insert(end_ms);
        }
        while let Some(end_ms) = open_ends_ms.first().copied()
            && stream.watermark_ms() > Some(end_ms)
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
