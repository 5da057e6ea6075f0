//! title: A part without departures takes the worst delay away
//! file: delays.rs
//! caught by: step2_delays::merging_with_nothing_changes_nothing
//!
//! Two values that may be missing: `zip` takes both or none. Partitions and hours without a flight are
//! the usual case, and each of them wipes out the worst delay of the others.

impl Delays {
    pub fn merge(&mut self, other: &Delays) {
        self.count += other.count;
        self.sum_min += other.sum_min;
        self.worst_min = self.worst_min.zip(other.worst_min).map(|(one, two)| one.max(two));
        self.over_15_min += other.over_15_min;
    }
}
