//! Step 8: completeness against latency.

use std::time::Duration;

use flights::Flight;

/// The length of the windows: one line of the board is an hour.
pub const WINDOW: Duration = Duration::from_secs(60 * 60);

/// The bounds of the curve, in minutes.
pub const BOUNDS_MIN: [u64; 12] = [0, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240];

// ANCHOR: point
/// What a bound costs: how many records come too late, and how long a result waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// The allowed out-of-orderness.
    pub bound: Duration,
    /// All records.
    pub records: u64,
    /// Records behind the watermark.
    pub late: u64,
    /// Records whose window had fired when they came.
    pub dropped: u64,
    /// For each window that a record made fire, in the order of firing: the arrival of that record
    /// minus the end of the window, in milliseconds. Negative when the window fired before its end.
    pub waits_ms: Vec<i64>,
    /// Windows that were still open after the last record.
    pub open_at_end: u64,
}
// ANCHOR_END: point

/// The end of the window that an instant lies in: windows are `[start, end)`, aligned to the epoch.
/// How to find it is a step of lab 05.
pub fn window_end_ms(timestamp_ms: i64) -> i64 {
    let size_ms = crate::span::millis(WINDOW);
    timestamp_ms.saturating_sub(timestamp_ms.rem_euclid(size_ms)).saturating_add(size_ms)
}

/// Sends flights, in arrival order, past one watermark and sees what happens to the windows of their
/// slots.
///
/// A record is dropped when its window has ended at or before the watermark that stood when it came.
/// A window is open from its first record that is not dropped. It fires when the watermark reaches
/// its end; the wait is counted from that end to the arrival of the record that moved the watermark.
/// Of windows that fire together, the earliest comes first.
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

impl Point {
    /// The share of records that came too late for their window, from 0 to 1; 0 without records.
    pub fn dropped_share(&self) -> f64 {
        self.dropped as f64 / self.records.max(1) as f64
    }

    /// The wait that `percent` of the fired windows do not exceed, in milliseconds: the smallest one
    /// such that at least so many have it or a shorter one. `None` when no window has fired.
    pub fn wait_quantile_ms(&self, percent: usize) -> Option<i64> {
        let mut waits_ms = self.waits_ms.clone();
        waits_ms.sort_unstable();
        let rank = (waits_ms.len() * percent).div_ceil(100).max(1);
        waits_ms.get(rank - 1).copied()
    }
}
