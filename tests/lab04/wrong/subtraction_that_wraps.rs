//! title: The subtraction wraps
//! file: watermark.rs
//! caught by: step1_watermark::at_the_ends_of_i64_nothing_wraps
//!
//! With plain `-` a release build wraps and a debug build panics. Near i64::MIN the watermark then
//! lands at the end of time, and everything is late. `wrapping_sub` only makes the two builds
//! agree.

impl BoundedWatermark {
    pub fn current_ms(&self) -> Option<i64> {
        let bound_ms = crate::span::millis(self.bound);
        self.max_timestamp_ms.map(|max_ms| max_ms.wrapping_sub(bound_ms))
    }
}
