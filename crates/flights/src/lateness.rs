//! How late is too late? The real flights, counted.
//!
//! Records come in arrival order, and one watermark is kept for all of them. Before each record
//! it stands at the largest timestamp of all earlier records, less the bound; before the first
//! record there is none.
//!
//! - A record is *late* when its timestamp is smaller than the watermark.
//! - A record is *dropped* when the watermark has reached the end of its window: an hour,
//!   `[start, end)`, aligned to the epoch.
//!
//! The tables that this module writes lie in `data/`; the book includes them and a test computes
//! them again.

use std::fmt::Write;
use std::time::Duration;

use crate::data_set::DataSet;
use crate::flight::Flight;

/// The bounds of the tables.
pub const BOUNDS: [Duration; 5] = [
    Duration::from_secs(0),
    Duration::from_secs(15 * 60),
    Duration::from_secs(60 * 60),
    Duration::from_secs(120 * 60),
    Duration::from_secs(240 * 60),
];

const WINDOW_MS: i64 = 60 * 60 * 1000;

/// What a bound costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lateness {
    /// Records behind the watermark.
    pub late: usize,
    /// Records whose window was gone. Each of them is late as well.
    pub dropped: usize,
}

/// Counts late and dropped records for a bound; the flights are in arrival order.
pub fn count(arrivals: &[Flight], bound: Duration) -> Lateness {
    let bound_ms = i64::try_from(bound.as_millis()).unwrap_or(i64::MAX);
    let mut lateness = Lateness { late: 0, dropped: 0 };
    let mut max_ms = None;
    for flight in arrivals {
        let timestamp_ms = flight.scheduled_ms;
        if let Some(earlier_max_ms) = max_ms {
            let watermark_ms = i64::saturating_sub(earlier_max_ms, bound_ms);
            lateness.late += usize::from(timestamp_ms < watermark_ms);
            lateness.dropped += usize::from(window_end_ms(timestamp_ms) <= watermark_ms);
        }
        max_ms = max_ms.max(Some(timestamp_ms));
    }
    lateness
}

fn window_end_ms(timestamp_ms: i64) -> i64 {
    timestamp_ms - timestamp_ms.rem_euclid(WINDOW_MS) + WINDOW_MS
}

/// The delay that a share of the flights does not exceed, in minutes: the smallest delay such
/// that at least `percent` of the flights have it or a smaller one. `None` without flights.
pub fn delay_quantile_min(flights: &[Flight], percent: usize) -> Option<i32> {
    let mut delays = flights.iter().map(|flight| flight.delay_min).collect::<Vec<_>>();
    delays.sort_unstable();
    let rank = (delays.len() * percent).div_ceil(100).max(1);
    delays.get(rank - 1).copied()
}

/// The tables of some data sets as Markdown: a table of lateness for each, then one of delays.
/// The departed flights are in arrival order.
pub fn markdown(named: &[(&str, &DataSet)]) -> String {
    let mut text = String::new();
    for (name, data) in named {
        lateness_table(&mut text, name, data);
    }
    delay_table(&mut text, named);
    text
}

fn lateness_table(text: &mut String, name: &str, data: &DataSet) {
    let total = data.departed.len();
    line(text, &format!("**{name}: {} records**\n", thousands(total)));
    line(
        text,
        "| allowed out-of-orderness | late: behind the watermark | dropped from its window |",
    );
    line(text, "|---:|---:|---:|");
    for bound in BOUNDS {
        let Lateness { late, dropped } = count(&data.departed, bound);
        let minutes = bound.as_secs() / 60;
        let (late, dropped) = (share(late, total), share(dropped, total));
        line(text, &format!("| {minutes} min | {late} | {dropped} |"));
    }
    line(text, "");
}

fn delay_table(text: &mut String, named: &[(&str, &DataSet)]) {
    line(text, "**Delay at departure, in minutes**\n");
    line(
        text,
        "| flights | left | cancelled | left early | earliest | median | 90 % | 99 % | longest |",
    );
    line(text, "|---|---:|---:|---:|---:|---:|---:|---:|---:|");
    for (name, data) in named {
        let left = data.departed.len();
        let all = left + data.cancelled.len();
        let early = data.departed.iter().filter(|flight| flight.delay_min < 0).count();
        let delays = [0, 50, 90, 99, 100].map(|percent| {
            delay_quantile_min(&data.departed, percent).map_or("none".into(), signed)
        });
        let cells = [
            (*name).to_owned(),
            thousands(left),
            share(data.cancelled.len(), all),
            share(early, left),
            delays.join(" | "),
        ];
        line(text, &format!("| {} |", cells.join(" | ")));
    }
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("a String can always be written to");
}

/// `1,416 (22.5 %)`; below one per cent with a second decimal.
fn share(part: usize, whole: usize) -> String {
    let percent = 100.0 * part as f64 / whole.max(1) as f64;
    let decimals = if percent < 1.0 { 2 } else { 1 };
    format!("{} ({percent:.decimals$} %)", thousands(part))
}

fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn signed(minutes: i32) -> String {
    let digits = thousands(minutes.unsigned_abs() as usize);
    if minutes < 0 { format!("-{digits}") } else { digits }
}

#[cfg(test)]
mod tests {
    use super::{share, signed, thousands};

    #[test]
    fn numbers_are_written_in_groups_of_three() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(328_521), "328,521");
        assert_eq!(thousands(1_000_000), "1,000,000");
        assert_eq!(signed(-1_234), "-1,234");
    }

    #[test]
    fn a_small_share_has_two_decimals() {
        assert_eq!(share(1_416, 6_292), "1,416 (22.5 %)");
        assert_eq!(share(1_164, 328_521), "1,164 (0.35 %)");
        assert_eq!(share(0, 0), "0 (0.00 %)");
    }
}
