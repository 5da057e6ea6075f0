use std::time::Duration;

use flights::lateness::{Lateness, count, delay_quantile_min, markdown};
use flights::{Flight, Week};

use crate::flight;

const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

/// Flights whose slots are these, in arrival order.
fn arrivals(slots: &[&str]) -> Vec<Flight> {
    slots.iter().map(|slot| flight(&format!("2013-02-18T{slot}Z"), 0)).collect()
}

#[test]
fn the_weeks_lose_what_flink_loses() {
    // Late and dropped as Apache Flink 2.3.0 counts them on the same records in the same order.
    for (week, bound, late, dropped) in [
        (Week::Calm, minutes(15), 1416, 695),
        (Week::Calm, minutes(60), 420, 239),
        (Week::Storm, minutes(15), 1070, 498),
        (Week::Storm, minutes(60), 313, 188),
    ] {
        let found = count(&week.load().departed, bound);
        assert_eq!(found, Lateness { late, dropped }, "{}, {bound:?}", week.label());
    }
}

#[test]
fn the_table_of_the_weeks_is_what_the_weeks_give() {
    let weeks = Week::ALL.map(|week| (week.title(), week.load()));
    let table = markdown(&weeks.each_ref().map(|(title, data)| (*title, data)));
    let pinned = include_str!("../../../../data/lateness-weeks.md");
    assert!(table == pinned, "data/lateness-weeks.md is not what the weeks give:\n{table}");
}

#[test]
fn a_record_at_the_watermark_is_not_late() {
    // Bound 15 min: after 06:30 the watermark stands at 06:15.
    let late = |slot| count(&arrivals(&["06:30:00", slot]), minutes(15)).late;
    assert_eq!(late("06:15:00"), 0);
    assert_eq!(late("06:14:59"), 1);
}

#[test]
fn a_window_is_gone_when_the_watermark_reaches_its_end() {
    // Bound 15 min: the window [05:00,06:00) is gone when the watermark stands at 06:00.
    let dropped = |largest| count(&arrivals(&[largest, "05:59:59"]), minutes(15)).dropped;
    assert_eq!(dropped("06:14:59"), 0);
    assert_eq!(dropped("06:15:00"), 1);
}

#[test]
fn the_first_record_meets_no_watermark_and_no_record_meets_its_own() {
    assert_eq!(count(&arrivals(&["06:00:00"]), minutes(0)), Lateness { late: 0, dropped: 0 });
    // A second record far ahead is not late by what it does to the watermark itself.
    let rising = arrivals(&["06:00:00", "08:00:00", "10:00:00"]);
    assert_eq!(count(&rising, minutes(0)), Lateness { late: 0, dropped: 0 });
}

#[test]
fn the_watermark_never_goes_back() {
    // 06:00 is late and must not pull the watermark back: 06:59 stays late, its window open.
    let slots = arrivals(&["07:00:00", "06:00:00", "06:59:00"]);
    assert_eq!(count(&slots, minutes(0)), Lateness { late: 2, dropped: 2 });
    let slots = arrivals(&["06:59:59", "06:00:00", "06:30:00"]);
    assert_eq!(count(&slots, minutes(0)), Lateness { late: 2, dropped: 0 });
}

#[test]
fn windows_before_the_epoch_are_aligned_too() {
    // [-1 h, 0) holds -1 ms. The watermark stands at 0, its end.
    let mut slots = arrivals(&["06:00:00", "06:00:00"]);
    slots[0].scheduled_ms = 0;
    slots[1].scheduled_ms = -1;
    assert_eq!(count(&slots, minutes(0)), Lateness { late: 1, dropped: 1 });
}

#[test]
fn a_quantile_is_a_delay_that_a_flight_had() {
    let flights = (1..=10).map(|delay| flight("2013-02-18T06:00:00Z", delay)).collect::<Vec<_>>();
    let quantiles = [0, 10, 11, 50, 99, 100].map(|percent| delay_quantile_min(&flights, percent));
    assert_eq!(quantiles, [Some(1), Some(1), Some(2), Some(5), Some(10), Some(10)]);
    assert_eq!(delay_quantile_min(&[], 50), None);
}
