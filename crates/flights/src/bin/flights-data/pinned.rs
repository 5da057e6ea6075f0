//! The files in `data/` that come from the full year.

use std::error::Error;

use flights::{DataSet, Week, lateness, read_csv, utc};

/// A file in `data/` and what must stand in it.
pub struct Pinned {
    pub name: &'static str,
    pub text: String,
}

/// All pinned files, from the full year's CSV.
///
/// # Errors
/// When the full year is no data set.
pub fn from_year(year_csv: &str, name: &str) -> Result<Vec<Pinned>, Box<dyn Error>> {
    let year = read_csv(year_csv.as_bytes(), name)?;
    let mut pinned = vec![Pinned {
        name: "lateness-year.md",
        text: lateness::markdown(&[("The year 2013", &year)]),
    }];
    let mut weeks: Vec<(&str, DataSet)> = vec![];
    for week in Week::ALL {
        let text = slice(year_csv, week);
        weeks.push((week.title(), read_csv(text.as_bytes(), week.file_name())?));
        pinned.push(Pinned { name: week.file_name(), text });
    }
    let weeks = weeks.iter().map(|(title, data)| (*title, data)).collect::<Vec<_>>();
    pinned.push(Pinned { name: "lateness-weeks.md", text: lateness::markdown(&weeks) });
    Ok(pinned)
}

/// The header, and every line whose slot is in the week.
fn slice(year_csv: &str, week: Week) -> String {
    let in_week = |line: &&str| {
        let scheduled = line.split(',').next().unwrap_or_default();
        utc::parse(scheduled).is_ok_and(|slot_ms| week.slots_ms().contains(&slot_ms))
    };
    let (header, lines) = year_csv.split_once('\n').unwrap_or_default();
    let lines = lines.split_inclusive('\n').filter(in_week);
    format!("{header}\n{}", lines.collect::<String>())
}

/// One sentence with the first line that differs; `None` when the texts are equal.
pub fn first_difference(expected: &str, found: &str) -> Option<String> {
    if expected == found {
        return None;
    }
    let (expected, found) = (lines(expected), lines(found));
    let same = expected.iter().zip(&found).take_while(|(expected, found)| expected == found);
    let index = same.count();
    let shown = |lines: &[&str]| match lines.get(index) {
        Some(line) => format!("`{}`", line.escape_debug()),
        None => "the end of the file".to_owned(),
    };
    Some(format!("line {}: expected {}, found {}", index + 1, shown(&expected), shown(&found)))
}

fn lines(text: &str) -> Vec<&str> {
    text.split('\n').collect()
}
