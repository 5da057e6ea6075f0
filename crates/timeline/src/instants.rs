//! Instants of one picture, all written to the same precision.

use flights::utc;

/// How the instants of a picture are written: with as little of date, seconds and milliseconds as
/// tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instants {
    /// Where the part that is shown begins in `2013-02-18 06:10:00.000`.
    begin: usize,
    /// Where it ends.
    end: usize,
}

const YEAR: usize = 0;
const MONTH: usize = 5;
const HOUR: usize = 11;
const AFTER_MINUTE: usize = 16;
const AFTER_SECOND: usize = 19;
const AFTER_MILLISECOND: usize = 23;

impl Instants {
    /// Looks at all instants of a picture.
    pub fn new(all_ms: impl IntoIterator<Item = i64>) -> Instants {
        let texts: Vec<String> = all_ms.into_iter().filter_map(calendar).collect();
        let same = |len: usize| texts.windows(2).all(|pair| pair[0][..len] == pair[1][..len]);
        let zero = |from: usize| texts.iter().all(|text| !text[from..].contains(|c| c > '0'));
        let begin = if same(HOUR) {
            HOUR
        } else if same(MONTH) {
            MONTH
        } else {
            YEAR
        };
        let end = if zero(AFTER_MINUTE + 1) {
            AFTER_MINUTE
        } else if zero(AFTER_SECOND + 1) {
            AFTER_SECOND
        } else {
            AFTER_MILLISECOND
        };
        Instants { begin, end }
    }

    /// An instant as text; one that no calendar holds as its number or its name.
    pub fn text(&self, instant_ms: i64) -> String {
        match (instant_ms, calendar(instant_ms)) {
            (_, Some(text)) => text[self.begin..self.end].to_owned(),
            (i64::MAX, None) => "i64::MAX".to_owned(),
            (i64::MIN, None) => "i64::MIN".to_owned(),
            (other, None) => format!("{other} ms"),
        }
    }

    /// An instant that there may not be.
    pub fn optional(&self, instant_ms: Option<i64>) -> String {
        instant_ms.map_or("none".to_owned(), |instant_ms| self.text(instant_ms))
    }
}

/// `2013-02-18 06:10:00.000`; `None` outside of the years 0 to 9999.
fn calendar(instant_ms: i64) -> Option<String> {
    let text = utc::format(instant_ms);
    let whole = text.strip_suffix('Z')?.replace('T', " ");
    match whole.len() {
        AFTER_SECOND => Some(whole + ".000"),
        AFTER_MILLISECOND => Some(whole),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2013-02-18T06:10:00Z.
    const TEN_PAST_SIX: i64 = 1_361_167_800_000;

    fn texts(all_ms: &[i64]) -> Vec<String> {
        let instants = Instants::new(all_ms.iter().copied());
        all_ms.iter().map(|ms| instants.text(*ms)).collect()
    }

    #[test]
    fn only_what_differs_is_shown() {
        assert_eq!(texts(&[TEN_PAST_SIX, TEN_PAST_SIX + 60_000]), ["06:10", "06:11"]);
        let tomorrow = TEN_PAST_SIX + 86_400_000;
        assert_eq!(texts(&[TEN_PAST_SIX, tomorrow]), ["02-18 06:10", "02-19 06:10"]);
        assert_eq!(texts(&[TEN_PAST_SIX, 0]), ["2013-02-18 06:10", "1970-01-01 00:00"]);
    }

    #[test]
    fn seconds_and_milliseconds_are_shown_where_one_instant_has_them() {
        assert_eq!(texts(&[TEN_PAST_SIX, TEN_PAST_SIX + 1_000]), ["06:10:00", "06:10:01"]);
        assert_eq!(texts(&[TEN_PAST_SIX, TEN_PAST_SIX + 1]), ["06:10:00.000", "06:10:00.001"]);
    }

    #[test]
    fn what_no_calendar_holds_is_a_number_and_changes_nothing_else() {
        assert_eq!(
            texts(&[TEN_PAST_SIX, i64::MAX, i64::MIN, i64::MAX - 1]),
            ["06:10", "i64::MAX", "i64::MIN", "9223372036854775806 ms"]
        );
        let before_the_year_0 = -100_000_000_000_000;
        assert_eq!(texts(&[before_the_year_0]), ["-100000000000000 ms"]);
    }
}
