//! title: The guard looks at the clock on the wall
//! file: guard.rs
//! caught by: step3_guard::ahead_by_exactly_what_is_allowed_is_allowed
//!
//! "From the future" sounds like a question to the clock. It is right for live data and lets
//! everything through in a replay of an old topic, and two runs of one topic judge differently.

impl Guard {
    pub fn check(&mut self, timestamp_ms: i64, arrived_ms: i64) -> Result<(), TooFarAhead> {
        let since_1970 = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .expect("it is later than 1970");
        let ahead = crate::span::between(crate::span::millis(since_1970), timestamp_ms);
        if ahead <= self.allowed_ahead {
            return Ok(());
        }
        self.refused += 1;
        Err(TooFarAhead { timestamp_ms, arrived_ms, ahead, allowed_ahead: self.allowed_ahead })
    }
}
