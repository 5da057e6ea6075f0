//! title: The end belongs to the window, the start does not
//! file: window.rs
//! caught by: step1_window::a_window_has_its_start_in_it_and_its_end_not
//!
//! "From six to seven" sounds as if seven were in it. Then a flight at seven sharp counts for the hour
//! before, and every board differs from every other at the full hour, where most slots are.

impl TumblingWindows {
    pub fn window_of(&self, timestamp_ms: i64) -> Result<Window, NoWindow> {
        let before_ms = timestamp_ms.checked_sub(1).ok_or(NoWindow { timestamp_ms })?;
        let start_ms = before_ms.checked_sub(before_ms.rem_euclid(self.size_ms));
        let window = start_ms.and_then(|start_ms| {
            Some(Window { start_ms, end_ms: start_ms.checked_add(self.size_ms)? })
        });
        window.ok_or(NoWindow { timestamp_ms })
    }
}
