//! An instant's place between the earliest and the latest of a picture.

use std::ops::RangeInclusive;

/// How wide a track is drawn.
pub const COLUMNS: usize = 24;

const EVENT: char = '●';
const WATERMARK: char = '┊';

/// From the earliest event of a picture to the latest, so many columns wide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Track {
    /// `None` where there is no event.
    span_ms: Option<RangeInclusive<i64>>,
}

impl Track {
    /// Makes room for all events, and for the watermarks too unless one stands at an end of what an
    /// `i64` can say.
    pub fn new(
        events_ms: impl IntoIterator<Item = i64>,
        watermarks_ms: impl IntoIterator<Item = i64>,
    ) -> Track {
        let inside = |ms: &i64| *ms != i64::MIN && *ms != i64::MAX;
        let mut all_ms: Vec<i64> = events_ms.into_iter().collect();
        if !all_ms.is_empty() {
            all_ms.extend(watermarks_ms.into_iter().filter(inside));
        }
        let ends = all_ms.iter().min().copied().zip(all_ms.iter().max().copied());
        Track { span_ms: ends.map(|(first_ms, last_ms)| first_ms..=last_ms) }
    }

    /// Draws an event and a watermark. Where both fall on one place, the event is drawn.
    pub fn draw(&self, event_ms: Option<i64>, watermark_ms: Option<i64>) -> String {
        let mut drawn = vec![' '; COLUMNS];
        if let Some(span_ms) = &self.span_ms {
            for (instant_ms, sign) in [(watermark_ms, WATERMARK), (event_ms, EVENT)] {
                if let Some(instant_ms) = instant_ms {
                    drawn[column(span_ms, instant_ms)] = sign;
                }
            }
        }
        drawn.into_iter().collect()
    }
}

/// What lies outside stands at the end that is nearer.
fn column(span_ms: &RangeInclusive<i64>, instant_ms: i64) -> usize {
    let (first_ms, last_ms) = (i128::from(*span_ms.start()), i128::from(*span_ms.end()));
    let from_first_ms = (i128::from(instant_ms) - first_ms).clamp(0, last_ms - first_ms);
    let last_column = COLUMNS as i128 - 1;
    let column = from_first_ms * last_column / (last_ms - first_ms).max(1);
    usize::try_from(column).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_stands_left_and_the_latest_right() {
        let track = Track::new([10, 20], []);
        assert_eq!(track.draw(Some(10), None).find(EVENT), Some(0));
        assert_eq!(track.draw(Some(20), None).find(EVENT), Some(COLUMNS - 1));
    }

    #[test]
    fn every_i64_has_its_place() {
        let track = Track::new([i64::MIN, i64::MAX], []);
        assert_eq!(track.draw(Some(i64::MIN), None).find(EVENT), Some(0));
        assert_eq!(track.draw(Some(0), None).find(EVENT), Some(11));
        assert_eq!(track.draw(Some(i64::MAX), None).find(EVENT), Some(COLUMNS - 1));
    }

    #[test]
    fn a_watermark_at_the_end_of_an_i64_does_not_stretch_the_track() {
        let track = Track::new([10, 20], [i64::MAX]);
        assert_eq!(track.draw(Some(10), Some(i64::MAX)), format!("●{}┊", " ".repeat(22)));
        assert_eq!(Track::new([], [3]).draw(None, Some(3)), " ".repeat(COLUMNS));
    }
}
