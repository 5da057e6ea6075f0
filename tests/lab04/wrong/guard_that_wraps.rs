//! title: The distance wraps, and the wildest time passes
//! file: guard.rs
//! caught by: step3_guard::at_the_ends_of_i64_the_guard_still_holds
//!
//! The difference of two i64 need not be an i64. The largest timestamp of all, less an instant
//! before 1970, is negative after the wrap, and so "not ahead at all".

impl Guard {
    pub fn check(&mut self, timestamp_ms: i64, arrived_ms: i64) -> Result<(), TooFarAhead> {
        let ahead_ms = timestamp_ms.wrapping_sub(arrived_ms);
        let ahead = Duration::from_millis(ahead_ms.max(0).unsigned_abs());
        if ahead <= self.allowed_ahead {
            return Ok(());
        }
        self.refused += 1;
        Err(TooFarAhead { timestamp_ms, arrived_ms, ahead, allowed_ahead: self.allowed_ahead })
    }
}
