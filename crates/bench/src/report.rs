//! The figures as a table, as data and as a chart.

use std::fmt::Write;
use std::io;
use std::path::Path;

use serde_json::{Value, json};

use crate::job_report::JobReport;
use crate::measure::{Rates, Run, median};
use crate::pure::Pure;
use crate::{RECORDS, ROUNDS};

/// The share of the bare loop's rate that the reference answers aim at.
const AIM: f64 = 0.7;

/// What is measured.
pub struct Contender {
    /// Its name, in Markdown.
    pub name: &'static str,
    /// What its rounds took.
    pub runs: Vec<Run>,
}

/// Contenders that do the same; the first is the bare loop.
pub struct Group {
    /// What they are.
    pub title: &'static str,
    /// The contenders.
    pub contenders: Vec<Contender>,
}

/// All figures of one run.
pub struct Report {
    /// The clients.
    pub groups: Vec<Group>,
    /// The parts without a client.
    pub pure: Vec<Pure>,
    /// Lab 05, which has tables of its own.
    pub job: JobReport,
}

impl Contender {
    /// One that has not run yet.
    pub fn new(name: &'static str) -> Contender {
        Contender { name, runs: Vec::new() }
    }

    fn rates(&self) -> Rates {
        Rates::of(&self.runs)
    }

    /// The median over the rounds of this contender's rate, divided by the other's of that round.
    fn ratio(&self, other: &Contender) -> f64 {
        let pairs = self.runs.iter().zip(&other.runs);
        median(
            pairs.map(|(own, other)| other.wall.as_secs_f64() / own.wall.as_secs_f64()).collect(),
        )
    }

    /// The same of the processor time.
    fn cpu_ratio(&self, other: &Contender) -> f64 {
        let pairs = self.runs.iter().zip(&other.runs);
        median(pairs.map(|(own, other)| other.cpu.as_secs_f64() / own.cpu.as_secs_f64()).collect())
    }
}

impl Group {
    fn bare(&self) -> &Contender {
        &self.contenders[0]
    }
}

impl Report {
    /// The figures as two tables in Markdown.
    pub fn table(&self) -> String {
        let mut table = format!(
            "| {RECORDS} records, medians of {ROUNDS} | records/s | MB/s | records per CPU s | \
             MB per CPU s | ratio | ratio per CPU s |\n|---|--:|--:|--:|--:|--:|--:|\n"
        );
        for group in &self.groups {
            for contender in &group.contenders {
                let rates = contender.rates();
                let line = format!(
                    "| {} | {} | {:.1} | {} | {:.1} | {:.2} | {:.2} |\n",
                    contender.name,
                    thousands(rates.records_per_s),
                    rates.bytes_per_s / 1e6,
                    thousands(rates.records_per_cpu_s),
                    rates.bytes_per_cpu_s / 1e6,
                    contender.ratio(group.bare()),
                    contender.cpu_ratio(group.bare()),
                );
                table.push_str(&line);
            }
        }
        table.push_str("\n| pure parts | ns a record |\n|---|--:|\n");
        for Pure { title, ns_per_record } in &self.pure {
            writeln!(table, "| {title} | {ns_per_record:.0} |").expect("a text takes all");
        }
        table
    }

    /// Writes `data/bench.md`, `data/bench-lab05.md`, `data/bench.json` and the book's
    /// `img/bench-clients.svg`.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, root: &Path) -> io::Result<()> {
        let json = serde_json::to_string_pretty(&self.data()).expect("numbers and texts");
        std::fs::write(root.join("data/bench.md"), self.table())?;
        std::fs::write(root.join("data/bench-lab05.md"), self.job.tables())?;
        std::fs::write(root.join("data/bench.json"), json + "\n")?;
        std::fs::write(root.join("book/src/img/bench-clients.svg"), self.chart())
    }

    fn data(&self) -> Value {
        let contender = |group: &Group, contender: &Contender| {
            json!({
                "group": group.title,
                "name": contender.name,
                "median": contender.rates(),
                "ratio": contender.ratio(group.bare()),
                "ratio_per_cpu_s": contender.cpu_ratio(group.bare()),
                "wall_s": contender.runs.iter().map(|run| run.wall.as_secs_f64()).collect::<Vec<f64>>(),
                "cpu_s": contender.runs.iter().map(|run| run.cpu.as_secs_f64()).collect::<Vec<f64>>(),
            })
        };
        let clients: Vec<Value> = self
            .groups
            .iter()
            .flat_map(|group| group.contenders.iter().map(move |of| contender(group, of)))
            .collect();
        let pure: Vec<Value> = self
            .pure
            .iter()
            .map(|part| json!({ "name": part.title, "ns_per_record": part.ns_per_record }))
            .collect();
        let (records, rounds, lab05) = (RECORDS, ROUNDS, self.job.data());
        json!({ "records": records, "rounds": rounds, "clients": clients, "pure": pure, "lab05": lab05 })
    }

    /// The ratios as bars, in the colour of the text around them. A drawing in a page must not
    /// have an empty line.
    fn chart(&self) -> String {
        const LEFT: f64 = 300.0;
        const WIDTH_OF_1: f64 = 360.0;
        const LINE: f64 = 26.0;
        let lines = self.groups.iter().map(|group| group.contenders.len() + 1).sum::<usize>();
        let height = LINE * lines as f64 + 40.0;
        let mut svg = format!(
            "<svg class=\"drawing\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 {height}\" \
             width=\"720\" role=\"img\" aria-label=\"Rates of the reference answers as shares of a \
             bare loop's rate; the table has the figures.\" font-family=\"sans-serif\" \
             font-size=\"13\" fill=\"currentColor\">\n"
        );
        let mut y = 6.0;
        for group in &self.groups {
            let title = format!(
                "<text x=\"10\" y=\"{}\" font-weight=\"bold\">{}</text>\n",
                y + 16.0,
                group.title
            );
            svg.push_str(&title);
            y += LINE;
            for contender in &group.contenders {
                let ratio = contender.ratio(group.bare());
                let bar = format!(
                    "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\
                     <rect x=\"{LEFT}\" y=\"{}\" width=\"{:.1}\" height=\"16\" opacity=\"0.55\"/>\
                     <text x=\"{:.1}\" y=\"{}\">{ratio:.2}</text>\n",
                    LEFT - 8.0,
                    y + 16.0,
                    contender.name.replace('`', ""),
                    y + 3.0,
                    ratio * WIDTH_OF_1,
                    LEFT + ratio * WIDTH_OF_1 + 6.0,
                    y + 16.0,
                );
                svg.push_str(&bar);
                y += LINE;
            }
        }
        let at = LEFT + AIM * WIDTH_OF_1;
        let aim = format!(
            "<path d=\"M{at} 8V{y}\" fill=\"none\" stroke=\"currentColor\" stroke-dasharray=\"4 4\"/>\
             <text x=\"{at}\" y=\"{}\" text-anchor=\"middle\">the aim, {AIM}</text>\n</svg>\n",
            y + 18.0
        );
        svg.push_str(&aim);
        svg
    }
}

/// A number as people write it: `1,234,567`.
pub fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
