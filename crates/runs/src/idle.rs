//! The option `--idle-after` of the runs that have a watermark.

use std::str::FromStr;
use std::time::Duration;

/// After how long a silence a partition is idle; `None` for never. Written as a number of seconds, or
/// `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdleAfter(pub Option<Duration>);

impl FromStr for IdleAfter {
    type Err = String;

    fn from_str(text: &str) -> Result<IdleAfter, String> {
        if text == "off" {
            return Ok(IdleAfter(None));
        }
        let seconds = text.parse::<f64>().ok();
        let span = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        match span {
            Some(span) => Ok(IdleAfter(Some(span))),
            None => Err(format!("expected a number of seconds, or `off`, found `{text}`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_off_are_read_and_nothing_else() {
        assert_eq!("off".parse(), Ok(IdleAfter(None)));
        assert_eq!("0.5".parse(), Ok(IdleAfter(Some(Duration::from_millis(500)))));
        for text in ["", "soon", "-1", "inf", "NaN", "1e400", "2 s"] {
            let expected = format!("expected a number of seconds, or `off`, found `{text}`");
            assert_eq!(text.parse::<IdleAfter>(), Err(expected));
        }
    }
}
