//! title: Fifteen minutes count as more than fifteen
//! file: delays.rs
//! caught by: step2_delays::fifteen_minutes_are_not_more_than_fifteen
//!
//! `>=` for `>`. It is one flight in some thirty, in a figure that nobody can check by looking at it.

impl Delays {
    pub fn add(&mut self, delay_min: i32) {
        self.count += 1;
        self.sum_min += i64::from(delay_min);
        self.worst_min = self.worst_min.max(Some(delay_min));
        self.over_15_min += u64::from(delay_min >= LATE_DEPARTURE_MIN);
    }
}
