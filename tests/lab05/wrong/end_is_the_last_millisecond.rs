//! title: The end is the last millisecond of the window
//! file: window.rs
//! caught by: step1_window::the_end_of_one_window_is_the_start_of_the_next
//!
//! Flink has such a number, `maxTimestamp()`. Taken for the end, it leaves a millisecond between two
//! windows, and every comparison that follows needs a `- 1` or a `<` that nobody can explain.

impl TumblingWindows {
    pub fn window_of(&self, timestamp_ms: i64) -> Result<Window, NoWindow> {
        let start_ms = timestamp_ms.checked_sub(timestamp_ms.rem_euclid(self.size_ms));
        let window = start_ms.and_then(|start_ms| {
            Some(Window { start_ms, end_ms: start_ms.checked_add(self.size_ms - 1)? })
        });
        window.ok_or(NoWindow { timestamp_ms })
    }
}
