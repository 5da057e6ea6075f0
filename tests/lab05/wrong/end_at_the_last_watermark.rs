//! title: At the end the last watermark is told once more
//! file: board.rs
//! caught by: step6_board::at_the_end_of_the_input_every_open_window_fires_once
//!
//! The last real watermark is behind the last records by the bound. So the last windows of a bounded
//! input never fire: the test on a week loses its last hour, and nobody counts it.

impl Board {
    pub fn on_end(&mut self) -> Vec<WindowResult> {
        self.fire()
    }
}
