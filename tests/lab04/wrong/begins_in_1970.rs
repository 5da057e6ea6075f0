//! title: Before the first record the watermark is zero
//! file: watermark.rs
//! caught by: step1_watermark::before_the_first_record_there_is_no_watermark
//!
//! A number is easier to handle than an option, and zero is the number that comes to mind. It is an
//! instant like any other: 1 January 1970.

impl BoundedWatermark {
    pub fn current_ms(&self) -> Option<i64> {
        let bound_ms = crate::span::millis(self.bound);
        Some(self.max_timestamp_ms.unwrap_or(0).saturating_sub(bound_ms))
    }
}
