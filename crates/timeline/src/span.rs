//! A span of time for a person.

use std::time::Duration;

/// Units from the largest, each with its length in milliseconds.
const UNITS: [(&str, u128); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000), ("ms", 1)];

/// The two largest units of a span: `1 d 3 h`, `15 min`, `1 s 500 ms`. What is smaller is cut off.
pub fn text(span: Duration) -> String {
    let ms = span.as_millis();
    let Some(first) = UNITS.iter().position(|(_, unit_ms)| *unit_ms <= ms) else {
        return "0 ms".to_owned();
    };
    let (unit, unit_ms) = UNITS[first];
    let mut text = format!("{} {unit}", ms / unit_ms);
    if let Some((smaller, smaller_ms)) = UNITS.get(first + 1)
        && ms % unit_ms >= *smaller_ms
    {
        text += &format!(" {} {smaller}", ms % unit_ms / smaller_ms);
    }
    text
}

/// A span with its sign, in whole minutes rounded towards zero: `+15 min`, `-4 min`, `0 min`.
pub fn signed_minutes(span_ms: i64) -> String {
    match span_ms / 60_000 {
        0 => "0 min".to_owned(),
        minutes => format!("{minutes:+} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_its_two_largest_units() {
        for (ms, expected) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (1_500, "1 s 500 ms"),
            (900_000, "15 min"),
            (3_900_000, "1 h 5 min"),
            (3_601_000, "1 h"),
            (97_200_000, "1 d 3 h"),
        ] {
            assert_eq!(text(Duration::from_millis(ms)), expected);
        }
        assert_eq!(text(Duration::MAX), "213503982334601 d 7 h");
    }

    #[test]
    fn minutes_have_a_sign() {
        assert_eq!(signed_minutes(900_000), "+15 min");
        assert_eq!(signed_minutes(-240_000), "-4 min");
        assert_eq!(signed_minutes(-59_999), "0 min");
    }
}
