//! title: The mean is cut to whole minutes
//! file: delays.rs
//! caught by: step2_delays::the_mean_is_the_sum_by_the_count
//!
//! The sum is an integer and so is the count, so the first division at hand is that of integers. It cuts
//! off what lies behind the point, upwards for flights that left early.

impl Delays {
    pub fn mean_min(&self) -> Option<f64> {
        (self.count > 0).then(|| (self.sum_min / self.count as i64) as f64)
    }
}
