//! title: The remainder is negative before 1970
//! file: window.rs
//! caught by: step1_window::before_1970_too
//!
//! `%` is the first operator that comes to mind, and every flight of 2013 is in its right window. The
//! remainder of a negative number is negative, so before 1970 a window starts behind its record.

impl TumblingWindows {
    pub fn window_of(&self, timestamp_ms: i64) -> Result<Window, NoWindow> {
        let start_ms = timestamp_ms.checked_sub(timestamp_ms % self.size_ms);
        let window = start_ms.and_then(|start_ms| {
            Some(Window { start_ms, end_ms: start_ms.checked_add(self.size_ms)? })
        });
        window.ok_or(NoWindow { timestamp_ms })
    }
}
