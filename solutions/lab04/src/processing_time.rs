//! Given: a board by processing time, and the same board by event time.
//!
//! A replay is simulated: record by record, at the moment at which a clock would show that started
//! with the first departure and runs so many times as fast. No time passes here, so every run gives
//! the same board.

use std::collections::BTreeMap;
use std::time::Duration;

use flights::Flight;

use crate::curve::window_end_ms;
use crate::span::millis;

/// How many flights left from each airport.
pub type Line = BTreeMap<String, u64>;

/// The board by the clock of the machine that replays the flights: line 0 holds what the machine has
/// worked on in the first `line` of its time, and so on. The flights are in arrival order. The speed
/// is a multiple of real time; 0 counts as 1, and so does a line of no length as a millisecond.
pub fn by_processing_time(arrivals: &[Flight], speed: u32, line: Duration) -> Vec<Line> {
    let Some(first) = arrivals.first() else { return Vec::new() };
    let line_ms = millis(line).max(1);
    let mut board: Vec<Line> = Vec::new();
    for flight in arrivals {
        let worked_on_ms = (flight.departed_ms() - first.departed_ms()) / i64::from(speed.max(1));
        let index = usize::try_from(worked_on_ms / line_ms).unwrap_or(0);
        if board.len() <= index {
            board.resize(index + 1, Line::new());
        }
        *board[index].entry(flight.origin.clone()).or_default() += 1;
    }
    board
}

/// The board by event time: for each hour with a flight, by its end in milliseconds since the epoch,
/// UTC. It has no speed: none of its figures depends on when somebody worked on a record.
pub fn by_event_time(arrivals: &[Flight]) -> BTreeMap<i64, Line> {
    let mut board: BTreeMap<i64, Line> = BTreeMap::new();
    for flight in arrivals {
        let line = board.entry(window_end_ms(flight.scheduled_ms)).or_default();
        *line.entry(flight.origin.clone()).or_default() += 1;
    }
    board
}
