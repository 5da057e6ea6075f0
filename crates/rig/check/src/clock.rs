//! Whether two clocks agree.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::report::Answer;

/// A difference that nobody has to know of.
const UNSAID_MS: i64 = 5_000;

/// Kafka refuses records that are an hour ahead of its clock.
const TOO_MUCH_MS: i64 = 30 * 60 * 1_000;

/// This machine's clock.
pub fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

/// Compares a server's clock with this machine's, which was read before and after the server's.
pub fn compare(before_ms: i64, servers_ms: i64, after_ms: i64) -> Answer {
    // A clock that was set back between the two looks.
    let after_ms = after_ms.max(before_ms);
    let off_ms = servers_ms - servers_ms.clamp(before_ms, after_ms);
    let off_s = off_ms.abs() / 1_000;
    let which = if off_ms < 0 { "behind" } else { "ahead of" };
    let found = format!("{off_s} s {which} this machine's");
    match off_ms.abs() {
        0..=UNSAID_MS => Answer::Ok("within seconds of this machine's".to_owned()),
        ..=TOO_MUCH_MS => Answer::Note(format!("{found}; one of the two should ask a time server")),
        _ => Answer::Missing(format!("{found}; set the clock that is wrong, by a time server")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_between_two_looks_is_right_and_a_difference_has_a_direction() {
        assert!(matches!(compare(1_000, 1_500, 2_000), Answer::Ok(_)));
        assert!(matches!(compare(1_000, -3_000, 2_000), Answer::Ok(_)));
        assert!(matches!(compare(2_000, 1_500, 1_000), Answer::Ok(_)));
        let Answer::Note(note) = compare(0, 70_000, 10_000) else { panic!("not said") };
        assert!(note.starts_with("60 s ahead of this machine's"), "{note}");
        let hour_ms = 60 * 60 * 1_000;
        let Answer::Missing(why) = compare(hour_ms, 0, hour_ms) else { panic!("an hour is taken") };
        assert!(why.starts_with("3600 s behind this machine's"), "{why}");
    }
}
