//! A million keys in one window: the time for each stays the same, and nothing is kept in the end.

use std::time::{Duration, Instant};

use lab05_solution::corrections::Aggregation;

const KEYS: u64 = 1_000_000;

/// A map in order takes a few seconds for them in a debug build. A list that is searched from its
/// start would take hours.
const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn a_million_keys_come_and_go() {
    let hour = Duration::from_secs(60 * 60);
    let mut aggregation = Aggregation::new(hour, hour).expect("an hour is a size");
    let began = Instant::now();
    for number in 0..KEYS {
        let key = format!("key {number:07}");
        let taken = aggregation.on_record(0, &key, 1);
        assert_eq!(taken, Ok(None), "{key}");
        let so_far = began.elapsed();
        assert!(so_far < LIMIT, "{number} keys of {KEYS} took {so_far:?}, allowed are {LIMIT:?}");
    }
    let added = began.elapsed();
    let results = aggregation.on_watermark(3_600_000);
    let fired = began.elapsed() - added;
    assert_eq!(results.len() as u64, KEYS);
    assert!(results.is_sorted_by(|one, next| one.key < next.key), "results in order of their keys");
    let correction = aggregation.on_record(0, "key 0500000", 1).expect("it is within the lateness");
    assert_eq!(correction.map(|result| result.delays.count), Some(2));
    assert_eq!(aggregation.on_watermark(7_200_000), []);
    assert_eq!(aggregation.state().kept(), 0);
    println!("{KEYS} keys: added in {added:?}, fired in {fired:?}");
    assert!(began.elapsed() < LIMIT, "all of it took {:?}", began.elapsed());
}
