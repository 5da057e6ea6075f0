//! Records in arrival order, drawn as text: given code for all labs, their tests and their runs.
//!
//! ```
//! # const SIX_O_CLOCK: i64 = 1_361_167_200_000;
//! # let minute = 60_000;
//! let mut timeline = timeline::Timeline::new().heading("bound 15 min");
//! timeline.record("EWR", SIX_O_CLOCK + 10 * minute).watermark(Some(SIX_O_CLOCK - 5 * minute));
//! timeline.record("EWR", SIX_O_CLOCK + 40 * minute).watermark(Some(SIX_O_CLOCK + 25 * minute));
//! timeline
//!     .record("JFK", SIX_O_CLOCK + 5 * minute)
//!     .watermark(Some(SIX_O_CLOCK + 25 * minute))
//!     .mark("late by 20 min")
//!     .mark("[06:00,07:00) 3");
//! assert_eq!(
//!     timeline.to_string(),
//!     "\
//! bound 15 min
//!  arrival  record  event time  ● event  ┊ watermark      watermark after it
//!        1  EWR          06:10         ●                  05:55
//!        2  EWR          06:40  ┊                      ●  06:25
//!        3  JFK          06:05       ●         ┊          06:25               late by 20 min
//!                                                                             [06:00,07:00) 3"
//! );
//! ```
//!
//! The dotted line stands where the watermark stood *before* the record: a record to its left is
//! late.
//!
//! | module | idea |
//! |---|---|
//! | [`instants`] | instants of one picture, all written to the same precision |
//! | [`span`] | a span of time for a person: `1 h 05 min` |
//! | [`track`] | an instant's place between the earliest and the latest |

pub mod instants;
pub mod span;
pub mod track;

use std::fmt;

use instants::Instants;
use track::Track;

/// The widest line. testkit indents it by two and keeps it below a hundred.
pub const MAX_COLUMNS: usize = 96;

/// So many rows are drawn. Of more, the middle is left out, and the picture says so.
pub const MAX_ROWS: usize = 24;

const FIRST_ROWS: usize = 4;
const TRACK_TITLE: &str = "● event  ┊ watermark";
/// The columns that are left where there are too many watermarks: slowest, fastest, the last.
const FOLDED_COLUMNS: usize = 3;
/// A mark that would get less room than this goes to a line of its own.
const LEAST_MARK_COLUMNS: usize = 16;

/// Records in the order in which they arrived, one a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    heading: Option<String>,
    watermarks: Vec<String>,
    rows: Vec<Row>,
    /// How many rows the track makes room for; `None` for all.
    track_rows: Option<usize>,
}

/// A row: a record, or a moment at which something else happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The record's place among all records, from 1; `None` for a moment.
    arrival: Option<usize>,
    what: String,
    event_ms: Option<i64>,
    watermarks_ms: Vec<Option<i64>>,
    marks: Vec<Mark>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Mark {
    Text(String),
    Expected(Option<i64>),
}

impl Default for Timeline {
    fn default() -> Timeline {
        Timeline::new()
    }
}

impl Timeline {
    /// A timeline with one watermark.
    pub fn new() -> Timeline {
        Timeline::with_watermarks(&["watermark after it"])
    }

    /// A timeline with several watermarks, one a column. The last one is the one that records are
    /// judged against; it is drawn as a dotted line. Where there is no room for so many, the others
    /// are folded into the slowest and the fastest of them.
    pub fn with_watermarks(titles: &[&str]) -> Timeline {
        let watermarks = titles.iter().map(|title| (*title).to_owned()).collect();
        Timeline { heading: None, watermarks, rows: Vec::new(), track_rows: None }
    }

    /// A line above the table: the bound, the windows, what the labels mean.
    pub fn heading(mut self, heading: impl Into<String>) -> Timeline {
        self.heading = Some(heading.into());
        self
    }

    /// Adds a record. The label may be empty: it says which airport or partition, as one likes.
    pub fn record(&mut self, label: impl Into<String>, event_ms: i64) -> &mut Row {
        let records = self.rows.iter().filter(|row| row.arrival.is_some()).count();
        self.push(Some(records + 1), label.into(), Some(event_ms))
    }

    /// Adds a moment at which no record came: `2 s without a record`.
    pub fn moment(&mut self, what: impl Into<String>) -> &mut Row {
        self.push(None, what.into(), None)
    }

    /// Says that records are left out from here on. The track makes room for those before alone, or
    /// a moment at the end of a week would press the first records together.
    pub fn leave_out(&mut self) {
        self.track_rows.get_or_insert(self.rows.len());
        self.moment("…");
    }

    fn push(&mut self, arrival: Option<usize>, what: String, event_ms: Option<i64>) -> &mut Row {
        let row = Row { arrival, what, event_ms, watermarks_ms: Vec::new(), marks: Vec::new() };
        self.rows.push(row);
        self.rows.last_mut().expect("a row was just added")
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is nothing to draw.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn instants(&self) -> Instants {
        Instants::new(self.rows.iter().flat_map(|row| {
            let expected_ms = row.marks.iter().filter_map(|mark| match mark {
                Mark::Expected(expected_ms) => *expected_ms,
                Mark::Text(_) => None,
            });
            let watermarks_ms = row.watermarks_ms.iter().copied().flatten();
            row.event_ms.into_iter().chain(watermarks_ms).chain(expected_ms)
        }))
    }

    /// The same timeline with the slowest and the fastest of the watermarks before the last, in place
    /// of all of them. One that there is not yet is the slowest.
    fn folded(&self) -> Timeline {
        let mut folded = self.clone();
        let others = self.watermarks.len() - 1;
        folded.watermarks.splice(..others, ["slowest", "fastest"].map(str::to_owned));
        for row in &mut folded.rows {
            let others = others.min(row.watermarks_ms.len());
            let slowest_ms = row.watermarks_ms[..others].iter().min().copied();
            let fastest_ms = row.watermarks_ms[..others].iter().max().copied();
            row.watermarks_ms.splice(..others, slowest_ms.into_iter().chain(fastest_ms));
        }
        folded
    }

    fn track(&self) -> Track {
        let rows = &self.rows[..self.track_rows.unwrap_or(self.rows.len())];
        let drawn_watermarks_ms = rows.iter().filter_map(Row::drawn_watermark_ms);
        let events_ms = rows.iter().filter_map(|row| row.event_ms);
        Track::new(events_ms, drawn_watermarks_ms)
    }

    fn columns(&self, instants: &Instants) -> Columns {
        let records = || self.rows.iter().filter(|row| row.arrival.is_some());
        let label = records().map(|row| width(&row.what)).max().unwrap_or(0);
        let label = if label == 0 { 0 } else { label.max("record".len()) };
        let event = records().filter_map(|row| row.event_ms).map(|ms| width(&instants.text(ms)));
        let watermarks = self.watermarks.iter().enumerate().map(|(index, title)| {
            let texts = self.rows.iter().filter_map(|row| row.watermarks_ms.get(index));
            let widths = texts.map(|ms| width(&instants.optional(*ms)));
            widths.max().unwrap_or(0).max(width(title))
        });
        let event = event.max().unwrap_or(0).max("event time".len());
        let mut columns =
            Columns { label, event, track: track::COLUMNS, watermarks: watermarks.collect() };
        if columns.before_marks() > MAX_COLUMNS {
            columns.track = 0;
        }
        columns
    }
}

impl Row {
    /// The watermark after the record, in the next of the timeline's columns; `None` where there is
    /// none.
    pub fn watermark(&mut self, watermark_ms: Option<i64>) -> &mut Row {
        self.watermarks_ms.push(watermark_ms);
        self
    }

    /// Says what happened: `late by 20 min`, `[06:00,07:00) fires: 2`, `dropped`.
    pub fn mark(&mut self, text: impl Into<String>) -> &mut Row {
        self.marks.push(Mark::Text(text.into()));
        self
    }

    /// Says that another watermark was expected, in the same form as the one that is shown.
    pub fn expected(&mut self, watermark_ms: Option<i64>) -> &mut Row {
        self.marks.push(Mark::Expected(watermark_ms));
        self
    }

    fn drawn_watermark_ms(&self) -> Option<i64> {
        *self.watermarks_ms.last()?
    }
}

impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (instants, track) = (self.instants(), self.track());
        let columns = self.columns(&instants);
        if columns.before_marks() > MAX_COLUMNS && self.watermarks.len() > FOLDED_COLUMNS {
            return self.folded().fmt(f);
        }
        let mut lines: Vec<String> = self.heading.clone().into_iter().collect();
        lines.push(columns.title(&self.watermarks));
        let mut watermark_before_ms = None;
        for (index, row) in self.rows.iter().enumerate() {
            if self.is_drawn(index) {
                let drawn = track.draw(row.event_ms, watermark_before_ms);
                lines.extend(columns.row(row, &drawn, &instants));
            } else if index == FIRST_ROWS {
                lines.push(format!("       …  and {} more", self.rows.len() - MAX_ROWS));
            }
            watermark_before_ms = row.drawn_watermark_ms();
        }
        f.write_str(&lines.join("\n"))
    }
}

impl Timeline {
    fn is_drawn(&self, index: usize) -> bool {
        let left_out = self.rows.len().saturating_sub(MAX_ROWS);
        index < FIRST_ROWS || index >= FIRST_ROWS + left_out
    }
}

/// The widths of the columns.
struct Columns {
    /// 0 where no record has a label.
    label: usize,
    event: usize,
    /// 0 where long numbers leave no room for it.
    track: usize,
    watermarks: Vec<usize>,
}

impl Columns {
    fn title(&self, watermarks: &[String]) -> String {
        let label = self.label_cell("record");
        let track = self.track_cell(TRACK_TITLE);
        let mut line = format!(" arrival  {label}{:>1$}{track}", "event time", self.event);
        for (title, columns) in watermarks.iter().zip(&self.watermarks) {
            line += &format!("  {}", padded(title, *columns));
        }
        line.trim_end().to_owned()
    }

    fn row(&self, row: &Row, track: &str, instants: &Instants) -> Vec<String> {
        let mut line = match (row.arrival, row.event_ms) {
            (Some(arrival), Some(event_ms)) => {
                let (label, event) = (self.label_cell(&row.what), instants.text(event_ms));
                let track = self.track_cell(track);
                format!(" {arrival:>7}  {label}{event:>0$}{track}", self.event)
            }
            _ => padded(&format!("          {}", row.what), self.before_watermarks()),
        };
        for (watermark_ms, columns) in row.watermarks_ms.iter().zip(&self.watermarks) {
            line += &format!("  {}", padded(&instants.optional(*watermark_ms), *columns));
        }
        with_marks(line, self.before_marks(), row, instants)
    }

    fn label_cell(&self, label: &str) -> String {
        if self.label == 0 { String::new() } else { format!("{}  ", padded(label, self.label)) }
    }

    fn track_cell(&self, track: &str) -> String {
        if self.track == 0 { String::new() } else { format!("  {}", padded(track, self.track)) }
    }

    fn before_watermarks(&self) -> usize {
        let label = if self.label == 0 { 0 } else { self.label + 2 };
        let track = if self.track == 0 { 0 } else { self.track + 2 };
        10 + label + self.event + track
    }

    fn before_marks(&self) -> usize {
        self.before_watermarks()
            + self.watermarks.iter().map(|columns| columns + 2).sum::<usize>()
            + 2
    }
}

/// The marks stand behind the row, one under the other, or below it where there is no room.
fn with_marks(line: String, marks_at: usize, row: &Row, instants: &Instants) -> Vec<String> {
    let marks = row.marks.iter().map(|mark| match mark {
        Mark::Text(text) => text.clone(),
        Mark::Expected(expected_ms) => format!("← expected {}", instants.optional(*expected_ms)),
    });
    let marks: Vec<String> = marks.collect();
    let longest = marks.iter().map(|mark| width(mark)).max().unwrap_or(0);
    let fits = marks_at + longest.min(LEAST_MARK_COLUMNS) <= MAX_COLUMNS;
    let at = if fits { marks_at } else { 10 };
    let mut wrapped = marks.iter().flat_map(|mark| wrap(mark, MAX_COLUMNS - at));
    let first = if fits { wrapped.next() } else { None };
    let first = first.map(|mark| format!("{}{mark}", padded(&line, at))).unwrap_or(line);
    let others = wrapped.map(|mark| format!("{:at$}{mark}", ""));
    [first.trim_end().to_owned()].into_iter().chain(others).collect()
}

fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last_mut().expect("there is always a line");
        if last.is_empty() {
            *last = word.to_owned();
        } else if width(last) + 1 + width(word) <= columns {
            *last += &format!(" {word}");
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

fn width(text: &str) -> usize {
    text.chars().count()
}

fn padded(text: &str, columns: usize) -> String {
    format!("{text}{:1$}", "", columns.saturating_sub(width(text)))
}
