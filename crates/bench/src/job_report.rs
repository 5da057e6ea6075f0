//! The figures of lab 05 as tables and as data.

use std::error::Error;
use std::path::Path;

use serde_json::{Value, json};

use crate::alone::Taken;
use crate::lab05::{Processes, RECORDS, ROUNDS, State};
use crate::measure::median;
use crate::pure::Pure;
use crate::report::thousands;

const MB: f64 = 1e6;

/// All figures of lab 05.
pub struct JobReport {
    /// Decoding alone, and decoding with all that comes behind it.
    pub to_windows: Vec<Pure>,
    /// Guard, watermark and windows by the number of keys.
    pub by_keys: Vec<Pure>,
    /// The bare loop, then the jobs.
    pub processes: Vec<Processes>,
    /// Apache Flink on the same records.
    pub flink: Flink,
    /// Memory by keys and windows.
    pub states: Vec<State>,
}

/// What `oracle/speed.csv` says of Apache Flink, on a topic with as many records.
pub struct Flink {
    /// The first line of the file says which version it is.
    version: String,
    /// Without the start, which is that of a run with 100 records.
    records_per_cpu_s: f64,
    peak_mb: f64,
}

impl Flink {
    /// Reads the file.
    ///
    /// # Errors
    /// When it is not there, or has no such runs.
    pub fn read(root: &Path) -> Result<Flink, Box<dyn Error>> {
        let text = std::fs::read_to_string(root.join("oracle/speed.csv"))?;
        let version = text.strip_prefix("# ").and_then(|text| text.split_once(", made by "));
        let (version, _) = version.ok_or("oracle/speed.csv: no version in its first line")?;
        let run = |records: u32| -> Result<(f64, f64), Box<dyn Error>> {
            let begin = format!("kafka,{records},");
            let line = text.lines().find(|line| line.starts_with(&begin));
            let line = line.ok_or_else(|| format!("oracle/speed.csv: no line `{begin}…`"))?;
            match line.split(',').collect::<Vec<_>>()[..] {
                [_, _, _, _, cpu_ms, _, peak_kb] => Ok((cpu_ms.parse()?, peak_kb.parse()?)),
                _ => Err(format!("oracle/speed.csv: expected seven fields, found `{line}`").into()),
            }
        };
        let ((start_ms, _), (cpu_ms, peak_kb)) = (run(100)?, run(RECORDS)?);
        Ok(Flink {
            version: version.to_owned(),
            records_per_cpu_s: f64::from(RECORDS - 100) * 1_000.0 / (cpu_ms - start_ms),
            peak_mb: peak_kb * 1_024.0 / MB,
        })
    }
}

impl Processes {
    fn records_per_cpu_s(&self) -> f64 {
        median(self.rates())
    }

    fn rates(&self) -> Vec<f64> {
        self.taken.iter().map(|taken| taken.records as f64 / taken.cpu.as_secs_f64()).collect()
    }

    fn records_per_s(&self) -> f64 {
        let rate = |taken: &Taken| taken.records as f64 / taken.wall.as_secs_f64();
        median(self.taken.iter().map(rate).collect())
    }

    fn peak_mb(&self) -> Option<f64> {
        let peaks: Option<Vec<f64>> =
            self.taken.iter().map(|taken| taken.peak.map(|bytes| bytes as f64 / MB)).collect();
        peaks.map(median)
    }

    /// The median over the rounds of this one's rate, divided by the other's of that round.
    fn cpu_ratio(&self, other: &Processes) -> f64 {
        median(self.rates().iter().zip(other.rates()).map(|(own, other)| own / other).collect())
    }
}

impl State {
    fn bytes_each(&self) -> Option<f64> {
        let each = f64::from(self.keys) * f64::from(self.windows);
        self.bytes.map(|bytes| bytes as f64 / each)
    }
}

impl JobReport {
    /// The figures as four tables in Markdown, each between anchors for the book.
    pub fn tables(&self) -> String {
        let tables = [
            ("to_windows", self.to_windows_table()),
            ("by_keys", self.by_keys_table()),
            ("job", self.job_table()),
            ("state", self.state_table()),
        ];
        let anchored = tables.map(|(name, table)| {
            format!("<!-- ANCHOR: {name} -->\n{table}<!-- ANCHOR_END: {name} -->\n")
        });
        anchored.join("\n")
    }

    fn to_windows_table(&self) -> String {
        let mut table = "| three airports, windows of an hour | ns a record | records per CPU s | \
                         time, decoding alone is 1 |\n|---|--:|--:|--:|\n"
            .to_owned();
        let alone = self.to_windows[0].ns_per_record;
        for Pure { title, ns_per_record } in &self.to_windows {
            let per_s = thousands(1e9 / ns_per_record);
            let ratio = ns_per_record / alone;
            add(&mut table, &format!("| {title} | {ns_per_record:.0} | {per_s} | {ratio:.2} |"));
        }
        table
    }

    fn by_keys_table(&self) -> String {
        let mut table = "| guard, watermark and windows | ns |\n|---|--:|\n".to_owned();
        for Pure { title, ns_per_record } in &self.by_keys {
            add(&mut table, &format!("| {title} | {ns_per_record:.0} |"));
        }
        table
    }

    fn job_table(&self) -> String {
        let mut table = format!(
            "| {} records, a process each, medians of {ROUNDS} | records/s | records per CPU s | \
             ratio per CPU s | most memory, MB |\n|---|--:|--:|--:|--:|\n",
            thousands(RECORDS.into())
        );
        let bare = &self.processes[0];
        for processes in &self.processes {
            let (per_s, per_cpu_s) = (processes.records_per_s(), processes.records_per_cpu_s());
            let line = format!(
                "| {} | {} | {} | {:.2} | {} |",
                processes.name,
                thousands(per_s),
                thousands(per_cpu_s),
                processes.cpu_ratio(bare),
                megabytes(processes.peak_mb())
            );
            add(&mut table, &line);
        }
        let Flink { version, records_per_cpu_s, peak_mb } = &self.flink;
        let ratio = records_per_cpu_s / bare.records_per_cpu_s();
        let per_cpu_s = thousands(*records_per_cpu_s);
        add(
            &mut table,
            &format!(
                "| {version}, on another day, without its start | | {per_cpu_s} | {ratio:.2} | {peak_mb:.0} |"
            ),
        );
        table
    }

    fn state_table(&self) -> String {
        let mut table =
            "| keys | open windows | memory, MB | bytes per key and window |\n|--:|--:|--:|--:|\n"
                .to_owned();
        for state in &self.states {
            let (keys, windows) = (thousands(state.keys.into()), thousands(state.windows.into()));
            let memory = megabytes(state.bytes.map(|bytes| bytes as f64 / MB));
            let each =
                state.bytes_each().map_or("not known".to_owned(), |each| format!("{each:.0}"));
            add(&mut table, &format!("| {keys} | {windows} | {memory} | {each} |"));
        }
        table
    }

    /// The same, and every run.
    pub fn data(&self) -> Value {
        let pure = |part: &Pure| json!({ "name": part.title, "ns_per_record": part.ns_per_record });
        let pure: Vec<Value> = self.to_windows.iter().chain(&self.by_keys).map(pure).collect();
        let process = |of: &Processes| {
            json!({
                "name": of.name,
                "records_per_cpu_s": of.records_per_cpu_s(),
                "ratio_per_cpu_s": of.cpu_ratio(&self.processes[0]),
                "runs": of.taken,
            })
        };
        let processes: Vec<Value> = self.processes.iter().map(process).collect();
        let state =
            |of: &State| json!({ "keys": of.keys, "windows": of.windows, "bytes": of.bytes });
        let states: Vec<Value> = self.states.iter().map(state).collect();
        json!({ "rounds": ROUNDS, "pure": pure, "processes": processes, "states": states })
    }
}

fn add(table: &mut String, line: &str) {
    table.push_str(line);
    table.push('\n');
}

/// Megabytes of a million bytes; memory is known on Linux alone.
fn megabytes(number: Option<f64>) -> String {
    number.map_or("not known".to_owned(), |number| format!("{number:.0}"))
}
