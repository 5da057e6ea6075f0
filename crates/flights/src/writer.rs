//! A data set as CSV, such that the reader gives it back.

use std::io::{self, Write};

use crate::data_set::DataSet;
use crate::flight::Flight;
use crate::reader::COLUMNS;
use crate::utc;

/// Writes a data set: the flights that left, then the cancelled ones, each in their order.
///
/// # Errors
/// Those of the writer, and [`InvalidInput`](io::ErrorKind::InvalidInput) for a flight that the
/// reader would refuse.
pub fn write_csv(data: &DataSet, mut to: impl Write) -> io::Result<()> {
    writeln!(to, "{}", COLUMNS.join(","))?;
    for flight in &data.departed {
        write_line(&mut to, flight, &flight.delay_min.to_string())?;
    }
    for cancelled in &data.cancelled {
        write_line(&mut to, &cancelled.plan(), "")?;
    }
    to.flush()
}

fn write_line(to: &mut impl Write, flight: &Flight, delay_min: &str) -> io::Result<()> {
    // No checked field can hold a comma or a line feed, so nothing is ever quoted.
    flight.check().map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    writeln!(
        to,
        "{},{},{},{},{},{},{},{delay_min}",
        utc::format(flight.scheduled_ms),
        flight.carrier,
        flight.flight,
        flight.tail.as_deref().unwrap_or_default(),
        flight.origin,
        flight.dest,
        flight.distance_miles,
    )
}
