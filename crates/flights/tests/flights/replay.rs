use std::time::Duration;

use flights::{Flight, Replay, Speed, arrival_order};
use tokio::time::{Instant, sleep, timeout};

use crate::flight;

/// Flights that leave 0, 30 and 60 minutes after 06:00, given in another order.
fn three_flights() -> Vec<Flight> {
    vec![
        flight("2013-02-18T06:00:00Z", 60),
        flight("2013-02-18T06:10:00Z", -10),
        flight("2013-02-18T06:20:00Z", 10),
    ]
}

/// Each flight's delay, as its name, and when it came, in seconds since the start.
async fn timetable(mut replay: Replay) -> Vec<(i32, f64)> {
    let start = Instant::now();
    let mut seen = vec![];
    while let Some(flight) = replay.next().await {
        seen.push((flight.delay_min, start.elapsed().as_secs_f64()));
    }
    seen
}

#[test]
fn flights_arrive_when_they_left_and_not_when_they_should_have() {
    let delays = arrival_order(three_flights()).iter().map(|f| f.delay_min).collect::<Vec<_>>();
    assert_eq!(delays, [-10, 10, 60]);
}

#[test]
fn flights_that_left_in_the_same_minute_keep_their_order() {
    // Alternately a flight of 06:00 and one of 06:01; enough of them that an unstable sort would
    // show.
    let numbered = |number: u16| Flight {
        flight: number,
        ..flight("2013-02-18T06:00:00Z", i32::from(number % 2))
    };
    let ordered = arrival_order((1..=200).map(numbered).collect());
    let numbers = ordered.iter().map(|flight| flight.flight).collect::<Vec<_>>();
    let evens_then_odds = (2..=200).step_by(2).chain((1..=199).step_by(2));
    assert_eq!(numbers, evens_then_odds.collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn at_3600x_an_hour_takes_a_second() {
    let replay = Replay::new(three_flights(), "3600x".parse().unwrap());
    assert_eq!(timetable(replay).await, [(-10, 0.0), (10, 0.5), (60, 1.0)]);
}

#[tokio::test(start_paused = true)]
async fn in_real_time_an_hour_takes_an_hour() {
    let replay = Replay::new(three_flights(), Speed::times(1.0).unwrap());
    assert_eq!(timetable(replay).await, [(-10, 0.0), (10, 1800.0), (60, 3600.0)]);
}

#[tokio::test(start_paused = true)]
async fn unpaced_nothing_waits() {
    let replay = Replay::new(three_flights(), Speed::UNPACED);
    assert_eq!(timetable(replay).await, [(-10, 0.0), (10, 0.0), (60, 0.0)]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_catches_up() {
    let mut replay = Replay::new(three_flights(), Speed::times(3600.0).unwrap());
    let start = Instant::now();
    replay.next().await;
    sleep(Duration::from_millis(700)).await;
    replay.next().await;
    assert_eq!(start.elapsed(), Duration::from_millis(700), "due since 0.5 s, so at once");
    replay.next().await;
    assert_eq!(start.elapsed(), Duration::from_secs(1), "due at 1 s, as without the pause");
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_broken_off_loses_no_flight() {
    let mut replay = Replay::new(three_flights(), Speed::times(3600.0).unwrap());
    replay.next().await;
    let broken_off = timeout(Duration::from_millis(100), replay.next()).await;
    assert!(broken_off.is_err(), "the second flight came before it was due");
    assert_eq!(replay.next().await.map(|flight| flight.delay_min), Some(10));
}

#[tokio::test(start_paused = true)]
async fn without_flights_the_replay_is_over_at_once() {
    assert_eq!(timetable(Replay::new(vec![], "1x".parse().unwrap())).await, []);
}

#[test]
fn a_speed_is_read_from_the_command_line() {
    for (text, shown) in [("3600x", "3600x"), ("1.5", "1.5x"), ("unpaced", "unpaced")] {
        assert_eq!(text.parse::<Speed>().unwrap().to_string(), shown);
    }
}

#[test]
fn a_speed_that_cannot_be_kept_is_refused() {
    for text in ["0", "0x", "-1", "-3600x", "0.5", "NaN", "inf", "-inf", "1e300", "2e9", ""] {
        let found = match text.trim_end_matches('x').parse::<f64>() {
            Ok(number) => number.to_string(),
            Err(_) => text.to_owned(),
        };
        assert_eq!(
            text.parse::<Speed>().unwrap_err().to_string(),
            format!(
                "expected a speed from 1x to 1000000000x such as `3600x`, or `unpaced`, \
                 found `{found}`"
            )
        );
    }
}
