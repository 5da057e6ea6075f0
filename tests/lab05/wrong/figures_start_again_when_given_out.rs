//! title: The figures start again when they are given out
//! file: firing.rs
//! caught by: step3_firing::a_result_carries_how_often_its_key_was_given_out
//!
//! Then a correction is what has come since: something to be added. A sink that writes it over the result
//! before it, which is what makes repeats harmless, keeps the last flight and forgets all others.

impl Kept {
    pub fn give_out(&mut self, window: Window, key: &str) -> WindowResult {
        self.revision += 1;
        let delays = std::mem::take(&mut self.delays);
        WindowResult { window, key: key.to_owned(), delays, revision: self.revision }
    }
}
