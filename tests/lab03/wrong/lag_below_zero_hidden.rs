//! title: A lag below zero is shown as 0
//! file: lag.rs
//! caught by: step5_lag::a_lag_below_zero_is_shown_as_it_is
//!
//! A negative lag looks like a mistake, and `max(0)` takes it off the chart. It says that the
//! topic was made anew under the same name: the group waits at an offset that will not come for a
//! long time.

impl PartitionLag {
    pub fn lag(&self) -> i64 {
        (self.end - self.committed.unwrap_or(self.first)).max(0)
    }
}
