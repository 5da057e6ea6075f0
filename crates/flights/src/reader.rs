//! A data set from CSV, strictly.
//!
//! ```text
//! scheduled,carrier,flight,tail,origin,dest,distance_miles,delay_min
//! 2013-02-18T05:00:00Z,US,1030,N553UW,EWR,CLT,529,-12
//! 2013-02-18T11:15:00Z,UA,1714,,LGA,IAH,1416,
//! ```
//!
//! `tail` is empty where the aircraft is not known, `delay_min` where the flight was cancelled.
//! Anything that is not exactly so is one error, with file, line, column and field. Nothing is
//! skipped and nothing is guessed: a reader that mends its input hides the day on which the input
//! breaks.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::Read;

use crate::data_set::{Cancelled, DataSet};
use crate::flight::{FieldError, Flight};
use crate::table::{Field, Table};
use crate::utc;

pub use crate::table::{MAX_LINE_BYTES, Place, ReadError};

/// The header of a data set.
pub const COLUMNS: [&str; 8] =
    ["scheduled", "carrier", "flight", "tail", "origin", "dest", "distance_miles", "delay_min"];

/// Reads a whole data set; `name` is what errors call the file.
///
/// A flight that stands in the file twice is refused. Slot, carrier, number and origin name one
/// departure, and no two of the 336,776 flights of 2013 share them: the second line would be a
/// fault of the file and counted as a departure that never was.
///
/// # Errors
/// The first thing in the file that is not exactly as it must be.
pub fn read_csv(source: impl Read, name: &str) -> Result<DataSet, ReadError> {
    let mut table = Table::open(source, name, COLUMNS)?;
    let mut data = DataSet::default();
    let mut first_lines = FirstLines::default();
    while let Some(fields) = table.next_record()? {
        let (flight, cancelled) = read_flight(&fields)?;
        first_lines.refuse_second(&flight, &fields)?;
        if cancelled {
            data.cancelled.push(Cancelled::from_plan(flight));
        } else {
            data.departed.push(flight);
        }
    }
    Ok(data)
}

/// One record as a flight, and whether it was cancelled; a cancelled flight has a delay of 0.
fn read_flight(fields: &[Field<'_>; COLUMNS.len()]) -> Result<(Flight, bool), ReadError> {
    let [scheduled, carrier, number, tail, origin, dest, distance_miles, delay_min] = fields;
    let cancelled = delay_min.text().is_empty();
    let flight = Flight {
        carrier: carrier.text().to_owned(),
        flight: number.whole_number("a whole number from 1 to 9999")?,
        tail: Some(tail.text().to_owned()).filter(|tail| !tail.is_empty()),
        origin: origin.text().to_owned(),
        dest: dest.text().to_owned(),
        distance_miles: distance_miles.whole_number("a whole number from 1 to 9999")?,
        scheduled_ms: utc::parse(scheduled.text())
            .map_err(|_| scheduled.refuse("a UTC time such as `2013-02-18T11:15:00Z`"))?,
        delay_min: if cancelled {
            0
        } else {
            delay_min.whole_number(
                "a whole number from -1440 to 10080, or nothing for a cancelled flight",
            )?
        },
    };
    flight.check().map_err(|error| with_place(error, fields))?;
    Ok((flight, cancelled))
}

fn with_place(error: FieldError, fields: &[Field<'_>; COLUMNS.len()]) -> ReadError {
    let field = fields.iter().find(|field| field.name() == error.field).unwrap_or(&fields[0]);
    field.error(error.expected, error.found)
}

/// The line on which each flight was first met: slot, carrier, number, origin.
#[derive(Default)]
struct FirstLines(HashMap<(i64, String, u16, String), u64>);

impl FirstLines {
    fn refuse_second(
        &mut self,
        flight: &Flight,
        fields: &[Field<'_>; COLUMNS.len()],
    ) -> Result<(), ReadError> {
        let [scheduled, carrier, number, _, origin, ..] = fields;
        let identity =
            (flight.scheduled_ms, flight.carrier.clone(), flight.flight, flight.origin.clone());
        match self.0.entry(identity) {
            Entry::Vacant(entry) => {
                entry.insert(number.line());
                Ok(())
            }
            Entry::Occupied(entry) => Err(number.error(
                "each flight once",
                format!(
                    "{} {} from {} at {} a second time, first on line {}",
                    carrier.text(),
                    number.text(),
                    origin.text(),
                    scheduled.text(),
                    entry.get()
                ),
            )),
        }
    }
}
