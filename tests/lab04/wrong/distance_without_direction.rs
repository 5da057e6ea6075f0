//! title: The guard refuses what is far behind as well
//! file: guard.rs
//! caught by: step3_guard::a_record_from_long_ago_passes
//!
//! `abs_diff` gives the distance without a thought about overflow, and without its direction. A
//! flight that is four hours late is then refused as if it came from the future.

impl Guard {
    pub fn check(&mut self, timestamp_ms: i64, arrived_ms: i64) -> Result<(), TooFarAhead> {
        let ahead = Duration::from_millis(timestamp_ms.abs_diff(arrived_ms));
        if ahead <= self.allowed_ahead {
            return Ok(());
        }
        self.refused += 1;
        Err(TooFarAhead { timestamp_ms, arrived_ms, ahead, allowed_ahead: self.allowed_ahead })
    }
}
