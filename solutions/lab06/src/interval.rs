//! Step 7: how often a checkpoint is made, and what that costs.

use std::time::Duration;

/// When a checkpoint is due: so long after the last one, or after so many records and results,
/// whichever comes first. The second bounds what waits in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// So long after the last one.
    pub every: Duration,
    /// After so many records and results.
    pub changes: u64,
}

// ANCHOR: cost
/// What one interval was measured to cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// The interval.
    pub every: Duration,
    /// Records per second in undisturbed running.
    pub records_per_s: f64,
    /// From a kill to the moment when the job is again where it was, the worst that was measured.
    pub recovery: Duration,
}
// ANCHOR_END: cost

impl Interval {
    /// Given: whether a checkpoint is due: `elapsed` after the last one, and `changes` records and results
    /// after it. Where nothing has changed since, none is.
    pub fn is_due(&self, elapsed: Duration, changes: u64) -> bool {
        changes > 0 && (elapsed >= self.every || changes >= self.changes)
    }
}

/// The interval with the highest throughput among those whose recovery takes at most so long; of two
/// with the same, the shorter one. `None` when no interval recovers in time.
pub fn choose(costs: &[Cost], longest_recovery: Duration) -> Option<Cost> {
    let in_time = costs.iter().filter(|cost| cost.recovery <= longest_recovery);
    in_time
        .max_by(|one, other| {
            let by_rate = one.records_per_s.total_cmp(&other.records_per_s);
            by_rate.then(other.every.cmp(&one.every))
        })
        .copied()
}
