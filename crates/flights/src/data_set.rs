//! A data set: the flights that left, and the flights that never did.

use std::collections::BTreeMap;

use crate::flight::Flight;

/// The flights of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DataSet {
    /// The flights that left, in the order of the file.
    pub departed: Vec<Flight>,
    /// The flights that were cancelled, in the order of the file. Nothing of them ever arrives on
    /// a topic.
    pub cancelled: Vec<Cancelled>,
}

/// A flight that had a slot and never left: it has the one clock and not the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancelled {
    /// The airline's two-letter code.
    pub carrier: String,
    /// The flight number.
    pub flight: u16,
    /// The aircraft's registration, `None` where none was assigned or known.
    pub tail: Option<String>,
    /// The airport from which it did not depart.
    pub origin: String,
    /// The airport at which it did not arrive.
    pub dest: String,
    /// The distance between the two airports, in statute miles.
    pub distance_miles: u16,
    /// The slot, in milliseconds since the epoch, UTC.
    pub scheduled_ms: i64,
}

impl DataSet {
    /// How many flights each airport cancelled.
    pub fn cancelled_by_origin(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for flight in &self.cancelled {
            *counts.entry(flight.origin.as_str()).or_default() += 1;
        }
        counts
    }
}

impl Cancelled {
    /// Makes of a flight one that never left; its delay is forgotten.
    pub fn from_plan(plan: Flight) -> Self {
        let Flight { carrier, flight, tail, origin, dest, distance_miles, scheduled_ms, .. } = plan;
        Self { carrier, flight, tail, origin, dest, distance_miles, scheduled_ms }
    }

    /// The flight as it was planned: with a delay of 0.
    pub fn plan(&self) -> Flight {
        let Self { carrier, flight, tail, origin, dest, distance_miles, scheduled_ms } =
            self.clone();
        Flight { carrier, flight, tail, origin, dest, distance_miles, scheduled_ms, delay_min: 0 }
    }
}
