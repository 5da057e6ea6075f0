//! Given: a topic with flights as a departures list by airport.

use std::collections::BTreeMap;
use std::fmt::Write;

use flights::{Flight, utc};
use indicatif::HumanCount;
use lab01::event::decode;
use lab01::readback::StoredRecord;

use crate::counted;

/// How many departures are shown of each airport.
const SHOWN: usize = 4;

/// The last departures of each airport. A record that is no flight is counted and said.
pub fn departures(records: &[StoredRecord]) -> String {
    let mut by_airport: BTreeMap<String, Vec<Flight>> = BTreeMap::new();
    let mut refused = 0;
    for record in records {
        match decode(&record.payload) {
            Ok(flight) => by_airport.entry(flight.origin.clone()).or_default().push(flight),
            Err(_) => refused += 1,
        }
    }
    let mut text = String::new();
    for (airport, mut flights) in by_airport {
        flights.sort_by_key(Flight::departed_ms);
        add_airport(&mut text, &airport, &flights);
    }
    if refused > 0 {
        add(&mut text, format_args!(" {} not shown: no flights", counted(refused, "record")));
    }
    text
}

fn add_airport(text: &mut String, airport: &str, flights: &[Flight]) {
    let first_shown = flights.len().saturating_sub(SHOWN);
    add(text, format_args!(" {airport}    slot           flight    to    left   delay"));
    for flight in &flights[first_shown..] {
        let Flight { carrier, flight: number, dest, scheduled_ms, delay_min, .. } = flight;
        let (day, slot) = day_and_time(*scheduled_ms);
        let (_, left) = day_and_time(flight.departed_ms());
        add(
            text,
            format_args!(
                "        {day} {slot}   {carrier} {number:<4}   {dest}   {left}  {delay_min:>+4} min"
            ),
        );
    }
    add(text, format_args!("        and {} before them", HumanCount(first_shown as u64)));
}

fn add(text: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(text, "{line}").expect("a String takes every line");
}

/// `2013-02-18T11:15:00Z` as `02-18` and `11:15`.
fn day_and_time(instant_ms: i64) -> (String, String) {
    let text = utc::format(instant_ms);
    (text.get(5..10).unwrap_or("").to_owned(), text.get(11..16).unwrap_or("").to_owned())
}
