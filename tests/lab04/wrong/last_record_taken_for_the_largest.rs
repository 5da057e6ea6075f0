//! title: The watermark follows the last record
//! file: watermark.rs
//! caught by: step1_watermark::the_watermark_never_goes_back
//!
//! One field, one assignment: it is right for every record that comes in order, and most tests that
//! people write are in order. The first record out of order takes the watermark back.

impl BoundedWatermark {
    pub fn observe(&mut self, timestamp_ms: i64) {
        self.max_timestamp_ms = Some(timestamp_ms);
    }
}
