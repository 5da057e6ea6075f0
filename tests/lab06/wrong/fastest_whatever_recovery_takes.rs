//! title: Where none recovers in time the fastest is taken
//! file: interval.rs
//! caught by: step7_interval::where_none_recovers_in_time_none_is_chosen
//!
//! Some interval is needed, and a fast one is better than none. Whoever asked for a recovery in 200 ms
//! believes to have it.

pub fn choose(costs: &[Cost], longest_recovery: Duration) -> Option<Cost> {
    let any_in_time = costs.iter().any(|cost| cost.recovery <= longest_recovery);
    let in_time = costs.iter().filter(|cost| !any_in_time || cost.recovery <= longest_recovery);
    in_time
        .max_by(|one, other| {
            let by_rate = one.records_per_s.total_cmp(&other.records_per_s);
            by_rate.then(other.every.cmp(&one.every))
        })
        .copied()
}
