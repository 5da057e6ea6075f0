//! title: A late record is dropped where no window is open for it
//! file: curve.rs
//! caught by: step8_curve::a_late_record_may_be_the_first_of_its_window
//!
//! A window that has fired is no longer in the set, so it is looked for there. But one that has not begun is not
//! in it either: the first record of a quiet hour may be a late one.

pub fn measure(arrivals: &[Flight], bound: Duration) -> Point {
    use crate::lateness::Arrivals;
    use std::collections::BTreeSet;

    let mut stream = Arrivals::new(bound);
    let mut open_ends_ms = BTreeSet::new();
    let (mut dropped, mut waits_ms) = (0, Vec::new());
    for flight in arrivals {
        let judged = stream.on_record(flight.scheduled_ms);
        let end_ms = window_end_ms(flight.scheduled_ms);
        let late = judged.watermark_ms.is_some_and(|before| flight.scheduled_ms < before);
        if late && !open_ends_ms.contains(&end_ms) {
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
