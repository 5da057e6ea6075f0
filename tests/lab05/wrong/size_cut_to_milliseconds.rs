//! title: The size is cut to whole milliseconds
//! file: window.rs
//! caught by: step1_window::a_size_that_no_window_can_have_is_refused
//!
//! `as_millis() as i64` takes every Duration. Half a millisecond becomes windows of no length, and the
//! first record divides by zero; Duration::MAX becomes -1.

impl TumblingWindows {
    pub fn new(size: Duration) -> Result<TumblingWindows, SizeError> {
        Ok(TumblingWindows { size_ms: size.as_millis() as i64 })
    }
}
