//! Given: one week on two boards by processing time, and on one by event time.

use std::error::Error;
use std::io::Write;
use std::time::Duration;

use flights::replay::arrival_order;
use flights::utc;
use lab04::processing_time::{Line, by_event_time, by_processing_time};

use crate::Replays;

/// A line of the boards by processing time: so much of the machine's time.
const LINE: Duration = Duration::from_secs(10);

/// How many lines are shown.
const SHOWN: usize = 8;
/// Lines of the second board that are left out before those: from the first slot to noon in New York.
const LEFT_OUT: usize = 12;

const AIRPORTS: [&str; 3] = ["EWR", "JFK", "LGA"];

pub fn run(replays: &Replays, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let departed = arrival_order(replays.week.load().departed);
    let boards: Vec<Vec<Line>> =
        replays.speeds.iter().map(|speed| by_processing_time(&departed, *speed, LINE)).collect();

    writeln!(out, "{}, replayed twice\n", replays.week.title())?;
    writeln!(out, "Departures by the clock of the machine that counts them, every 10 seconds")?;
    write!(out, "          ")?;
    for speed in &replays.speeds {
        write!(out, "{:>24}", format!("{speed} times as fast"))?;
    }
    write!(out, "\n  seconds ")?;
    for _ in &replays.speeds {
        write!(out, "      {}", AIRPORTS.map(|airport| format!("{airport:>6}")).concat())?;
    }
    writeln!(out)?;
    for index in 0..SHOWN {
        let from_s = LINE.as_secs() * index as u64;
        write!(out, " {:>8} ", format!("{from_s}-{}", from_s + LINE.as_secs()))?;
        for board in &boards {
            write!(out, "      {}", cells(board.get(index)))?;
        }
        writeln!(out)?;
    }
    let lines: Vec<String> = boards.iter().map(|board| board.len().to_string()).collect();
    writeln!(out, " and so on: {} lines\n", lines.join(" and "))?;

    writeln!(out, "Departures by the hour of their slot, at either speed")?;
    writeln!(out, "  hour (UTC)  {}", AIRPORTS.map(|airport| format!("{airport:>6}")).concat())?;
    let by_slot = by_event_time(&departed);
    for (end_ms, line) in by_slot.iter().skip(LEFT_OUT).take(SHOWN) {
        let end = utc::format(*end_ms);
        writeln!(out, "  until {} {}", end.get(11..16).unwrap_or(&end), cells(Some(line)))?;
    }
    writeln!(out, " and so on: {} lines, {LEFT_OUT} of them before these", by_slot.len())?;
    Ok(())
}

fn cells(line: Option<&Line>) -> String {
    let count = |airport: &str| line.and_then(|line| line.get(airport)).copied().unwrap_or(0);
    AIRPORTS.map(|airport| format!("{:>6}", count(airport))).concat()
}
