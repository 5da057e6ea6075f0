use std::collections::HashSet;
use std::time::Duration;

use flights::Flight;
use flights::edge_log::{FLINK_SEED, edge_log};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// For each record the watermark of all before it, under a bound; the first has none.
fn with_watermark(log: &[Flight], bound_min: i64) -> impl Iterator<Item = (&Flight, i64)> {
    let mut max_ms = log[0].scheduled_ms;
    log[1..].iter().map(move |flight| {
        let watermark_ms = max_ms - bound_min * MINUTE_MS;
        max_ms = max_ms.max(flight.scheduled_ms);
        (flight, watermark_ms)
    })
}

fn hour_end_ms(timestamp_ms: i64) -> i64 {
    (timestamp_ms.div_euclid(HOUR_MS) + 1) * HOUR_MS
}

/// Where records stand, for the ends of windows that the watermark is at most one millisecond
/// from: (watermark - end, timestamp - end), in milliseconds.
fn edges_met(log: &[Flight], bound_min: i64, lateness_min: i64) -> HashSet<(i64, i64)> {
    let met = with_watermark(log, bound_min).map(|(flight, watermark_ms)| {
        let reached_ms = watermark_ms - lateness_min * MINUTE_MS;
        // The end of an hour that is nearest to what the watermark has reached.
        let end_ms = hour_end_ms(reached_ms - HOUR_MS / 2);
        (reached_ms - end_ms, flight.scheduled_ms - end_ms)
    });
    met.filter(|(watermark, record)| watermark.abs() <= 1 && record.abs() <= 1).collect()
}

#[test]
fn every_edge_is_met_one_millisecond_before_at_and_after() {
    let log = edge_log(FLINK_SEED);
    for bound_min in [15, 60] {
        for lateness_min in [0, 60] {
            let met = edges_met(&log, bound_min, lateness_min);
            assert_eq!(met.len(), 9, "bound {bound_min}, lateness {lateness_min}: {met:?}");
        }
    }
}

#[test]
fn records_are_within_the_bound_and_beyond_it() {
    let log = edge_log(FLINK_SEED);
    let lateness = |minutes: u64| flights::lateness::count(&log, Duration::from_secs(minutes * 60));
    let (quarter, hour) = (lateness(15), lateness(60));
    assert!(quarter.late > hour.late && hour.late > hour.dropped, "{quarter:?} {hour:?}");
    assert!(hour.dropped > 0 && quarter.late < log.len() / 2, "{quarter:?} {hour:?}");
}

#[test]
fn one_record_in_twenty_comes_again_and_all_are_flights() {
    let log = edge_log(FLINK_SEED);
    assert!(log.iter().all(|flight| flight.check() == Ok(())));
    let different = log.iter().collect::<HashSet<_>>().len();
    assert_eq!((log.len(), log.len() - different), (4811, 229));
}

#[test]
fn the_seed_alone_decides() {
    assert_eq!(edge_log(1), edge_log(1));
    assert_ne!(edge_log(1), edge_log(2));
}
