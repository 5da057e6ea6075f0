//! title: The mean of nothing is no number
//! file: delays.rs
//! caught by: step2_delays::of_no_departures_there_is_no_worst_and_no_mean
//!
//! 0.0 / 0.0 does not panic: it is NaN. That is no number, not even equal to itself, and a table shows
//! it for ever.

impl Delays {
    pub fn mean_min(&self) -> Option<f64> {
        Some(self.sum_min as f64 / self.count as f64)
    }
}
