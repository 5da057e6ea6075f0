//! title: The bound is added
//! file: watermark.rs
//! caught by: step1_watermark::the_watermark_stays_behind_the_largest_timestamp_by_the_bound
//!
//! "Fifteen minutes are allowed" sounds like something to add. Then the watermark promises that
//! records have been seen which nobody can have seen yet.

impl BoundedWatermark {
    pub fn current_ms(&self) -> Option<i64> {
        let bound_ms = crate::span::millis(self.bound);
        self.max_timestamp_ms.map(|max_ms| max_ms.saturating_add(bound_ms))
    }
}
