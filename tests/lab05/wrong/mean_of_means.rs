//! title: Merged means
//! file: delays.rs
//! caught by: step2_delays::the_mean_of_two_parts_is_not_the_mean_of_their_means
//!
//! Two parts, each with its mean: add both and halve. One flight then weighs as much as three, and the
//! figure is wrong whenever the parts differ in size, which is nearly always.

impl Delays {
    pub fn merge(&mut self, other: &Delays) {
        let (Some(one), Some(two)) = (self.mean_min(), other.mean_min()) else {
            if self.count == 0 {
                *self = *other;
            }
            return;
        };
        self.count += other.count;
        self.sum_min = ((one + two) / 2.0 * self.count as f64).round() as i64;
        self.worst_min = self.worst_min.max(other.worst_min);
        self.over_15_min += other.over_15_min;
    }
}
