//! title: The start is the quotient, rounded towards zero
//! file: window.rs
//! caught by: step1_window::whatever_the_instant_and_the_size_its_window_holds_it
//!
//! Divide and multiply: that too is right for every flight of 2013. Integer division rounds towards
//! zero, so the two windows on either side of 1970 become one, twice as long.

impl TumblingWindows {
    pub fn window_of(&self, timestamp_ms: i64) -> Result<Window, NoWindow> {
        let start_ms = timestamp_ms / self.size_ms * self.size_ms;
        let end_ms = start_ms.checked_add(self.size_ms).ok_or(NoWindow { timestamp_ms })?;
        Ok(Window { start_ms, end_ms })
    }
}
