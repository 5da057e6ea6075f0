//! title: The longest interval is taken for the fastest
//! file: interval.rs
//! caught by: step7_interval::what_was_measured_need_not_be_in_order
//!
//! Longer costs less, so the longest is the fastest. So it is on a curve without noise; a measurement has
//! some, and may have a knee.

pub fn choose(costs: &[Cost], longest_recovery: Duration) -> Option<Cost> {
    let in_time = costs.iter().filter(|cost| cost.recovery <= longest_recovery);
    in_time
        .max_by(|one, other| {
            one.every.cmp(&other.every)
        })
        .copied()
}
