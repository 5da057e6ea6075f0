//! title: The window wraps at the ends of time
//! file: window.rs
//! caught by: step1_window::at_the_ends_of_i64_there_is_a_window_or_an_error
//!
//! No real flight is near i64::MAX; a record with a bug is. With plain `+` and `-` a debug build panics
//! and a release build wraps, and the window of the year 292,278,994 ends before 1970. `wrapping_add`
//! only makes the two builds agree.

impl TumblingWindows {
    pub fn window_of(&self, timestamp_ms: i64) -> Result<Window, NoWindow> {
        let start_ms = timestamp_ms.wrapping_sub(timestamp_ms.rem_euclid(self.size_ms));
        Ok(Window { start_ms, end_ms: start_ms.wrapping_add(self.size_ms) })
    }
}
