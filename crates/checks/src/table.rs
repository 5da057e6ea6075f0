//! The table at the end of `checks all`.

use std::time::Duration;

use crate::outcome::{Outcome, Suites};

/// What a stage found, and how long it took.
pub struct Row {
    /// The stage's name.
    pub stage: &'static str,
    /// The provider that it ran with, where it runs with each of them.
    pub provider: Option<String>,
    /// What it found.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
}

impl Row {
    fn name(&self) -> String {
        match &self.provider {
            Some(provider) => format!("{}, {provider}", self.stage),
            None => self.stage.to_owned(),
        }
    }
}

/// One word on how a stage ended.
pub fn state(outcome: &Outcome) -> &'static str {
    match (&outcome.not_run, outcome.failed) {
        (Some(_), _) => "did not run",
        (None, 0) => "ok",
        _ => "FAILED",
    }
}

/// `38 s`, `6 min 41 s`.
pub fn span(time: Duration) -> String {
    match time.as_secs() {
        secs @ ..60 => format!("{secs} s"),
        secs => format!("{} min {} s", secs / 60, secs % 60),
    }
}

/// A line for each stage, the suites side by side where they ran on several kinds of servers, and
/// at last how many single checks passed and failed.
pub fn table(rows: &[Row], took: Duration) -> String {
    let mut table = format!("\n{}{}", stages(rows), side_by_side(rows));
    table.push_str(&closing(rows, took));
    let sum = |count: fn(&Outcome) -> u64| rows.iter().map(|row| count(&row.outcome)).sum::<u64>();
    let (passed, failed) = (sum(|outcome| outcome.passed), sum(Outcome::failures));
    table.push_str(&format!("{passed} passed, {failed} failed"));
    table
}

fn stages(rows: &[Row]) -> String {
    let cells = |row: &Row| {
        let Row { outcome, took, .. } = row;
        vec![row.name(), outcome.scope.clone(), span(*took), outcome.verdict_line()]
    };
    aligned(&rows.iter().map(cells).collect::<Vec<_>>())
}

/// `NOT RUN` stands out here once more: a row in the middle is read past.
fn closing(rows: &[Row], took: Duration) -> String {
    let red = rows.iter().filter(|row| !row.outcome.is_green()).count();
    let took = span(took);
    let left_out: Vec<String> =
        rows.iter().filter(|row| row.outcome.excused).map(Row::name).collect();
    let mut closing = match red {
        0 => format!(" all good in {took}\n"),
        _ => format!(" {red} of {} stages not green, in {took}\n", rows.len()),
    };
    if !left_out.is_empty() {
        closing.push_str(&format!(" NOT RUN on this machine: {}\n", left_out.join("; ")));
    }
    closing
}

/// How many tests of the suites ran on which servers, and how long they took.
fn side_by_side(rows: &[Row]) -> String {
    let mut servers: Vec<&str> = Vec::new();
    for row in rows.iter().filter(|row| row.outcome.suites.is_some() || row.provider.is_some()) {
        let name = row.provider.as_deref().unwrap_or(row.stage);
        if !servers.contains(&name) && (row.provider.is_some() || row.stage == "compose") {
            servers.push(name);
        }
    }
    if servers.len() < 2 {
        return String::new();
    }
    let mut lines = vec![vec!["the labs' tests".to_owned()]];
    lines[0].extend(servers.iter().map(|name| (*name).to_owned()));
    for suite in ["solutions", "untouched labs"] {
        let cell = |server: &&str| {
            let of = |row: &&Row| match *server {
                "compose" => row.stage == "compose" && suite == "solutions",
                provider => row.stage == suite && row.provider.as_deref() == Some(provider),
            };
            match rows.iter().find(of) {
                Some(row) if row.outcome.excused => "NOT RUN".to_owned(),
                Some(row) => row.outcome.suites.map_or("-".to_owned(), counted),
                None => "-".to_owned(),
            }
        };
        let mut line = vec![format!("  {suite}")];
        line.extend(servers.iter().map(cell));
        lines.push(line);
    }
    format!("\n{}\n", aligned(&lines))
}

fn counted(suites: Suites) -> String {
    format!("{} in {:.1} s", suites.tests, suites.took.as_secs_f32())
}

/// Lines of cells, one below the other; the last cell of a line may be of any length.
fn aligned(lines: &[Vec<String>]) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for line in lines {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        let joined = cells.collect::<Vec<_>>().join("  ");
        text.push_str(&format!(" {}\n", joined.trim_end()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(stage: &'static str, provider: Option<&str>, outcome: Outcome) -> Row {
        let provider = provider.map(str::to_owned);
        Row { stage, provider, outcome, took: Duration::from_secs(41) }
    }

    fn green() -> Outcome {
        let (scope, verdict) = ("1 lab, 41 tests".to_owned(), "passed".to_owned());
        let suites = Some(Suites { tests: 41, took: Duration::from_millis(8_240) });
        Outcome { scope, verdict, passed: 41, suites, ..Outcome::default() }
    }

    #[test]
    fn a_green_table_says_all_good_and_counts() {
        let table = table(&[row("solutions", None, green())], Duration::from_secs(401));
        assert_eq!(
            table,
            "\n solutions  1 lab, 41 tests  41 s  passed\n all good in 6 min 41 s\n41 passed, 0 failed"
        );
    }

    #[test]
    fn what_did_not_run_is_shown_and_counts_as_failed() {
        let missing = Outcome { not_run: Some("no mdbook".to_owned()), ..Outcome::default() };
        let rows = [row("solutions", None, green()), row("book", None, missing)];
        let table = table(&rows, Duration::ZERO);
        assert!(table.contains("NOT RUN: no mdbook"), "{table}");
        assert!(table.ends_with("1 of 2 stages not green, in 0 s\n41 passed, 1 failed"), "{table}");
    }

    #[test]
    fn what_is_left_out_is_said_twice_and_counts_as_neither() {
        let left_out = Outcome::left_out("no Docker engine here");
        let rows = [row("solutions", None, green()), row("containers", None, left_out)];
        let table = table(&rows, Duration::ZERO);
        assert!(table.contains("NOT RUN: no Docker engine here"), "{table}");
        let end = " all good in 0 s\n NOT RUN on this machine: containers\n41 passed, 0 failed";
        assert!(table.ends_with(end), "{table}");
    }

    #[test]
    fn suites_that_ran_on_several_servers_stand_side_by_side() {
        let rows = [
            row("solutions", Some("local"), green()),
            row("solutions", Some("containers"), Outcome::left_out("no Docker engine here")),
            row("untouched labs", Some("local"), green()),
            row("compose", None, green()),
        ];
        assert_eq!(
            side_by_side(&rows),
            [
                "",
                " the labs' tests   local        containers  compose",
                "   solutions       41 in 8.2 s  NOT RUN     41 in 8.2 s",
                "   untouched labs  41 in 8.2 s  -           -",
                "",
                "",
            ]
            .join("\n")
        );
    }
}
