//! Step 2: what is kept of a window, in a form that can be merged.

/// A flight is late for its passengers when it leaves more than so many minutes behind its slot.
pub const LATE_DEPARTURE_MIN: i32 = 15;

// ANCHOR: delays
/// The delays of some departures, however many: never the flights themselves.
///
/// Two of these merge into the one of all their flights, in any order. A mean would not: that of two
/// means is not the mean of all. So the sum is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Delays {
    /// How many departures.
    pub count: u64,
    /// The sum of their delays, in minutes; flights that leave early count below zero.
    pub sum_min: i64,
    /// The longest of their delays, in minutes; `None` without a departure.
    pub worst_min: Option<i32>,
    /// How many left more than [`LATE_DEPARTURE_MIN`] behind their slot.
    pub over_15_min: u64,
}
// ANCHOR_END: delays

impl Delays {
    /// Adds one departure.
    pub fn add(&mut self, delay_min: i32) {
        // Which of the four figures can be told wrong by a flight that leaves early? And by the very first one?
        todo!("step 2: add a departure {delay_min} min behind its slot to {self:?}")
    }

    /// Adds all departures of another part. Merging with nothing changes nothing.
    pub fn merge(&mut self, other: &Delays) {
        // Of which figures is the whole the sum of its parts? And what if one of the parts is empty?
        todo!("step 2: merge {other:?} into {self:?}")
    }

    /// The mean delay, in minutes; `None` without a departure.
    pub fn mean_min(&self) -> Option<f64> {
        // What is the mean of nothing? A table would show NaN.
        todo!("step 2: the mean delay of {self:?}")
    }
}
