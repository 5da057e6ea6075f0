//! title: The worst delay begins at zero
//! file: delays.rs
//! caught by: step2_delays::a_flight_that_leaves_early_counts_below_zero
//!
//! A maximum that begins at 0 is right for every window in which somebody was late. Of an hour in which
//! all flights left early it says that the worst of them was on time.

impl Delays {
    pub fn add(&mut self, delay_min: i32) {
        self.count += 1;
        self.sum_min += i64::from(delay_min);
        self.worst_min = Some(self.worst_min.unwrap_or(0).max(delay_min));
        self.over_15_min += u64::from(delay_min > LATE_DEPARTURE_MIN);
    }
}
