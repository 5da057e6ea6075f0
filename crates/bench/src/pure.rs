//! What criterion found about the pure parts.

use std::error::Error;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// A benchmark of `benches/pure.rs`: name, title, and how many records one run deals with.
type Part = (&'static str, &'static str, f64);

/// Those of the first labs.
pub const CLIENTS: [Part; 4] = [
    ("lab01-decode", "lab 01, `decode`", 1.0),
    ("lab02-batch-of-500", "lab 02, `Batch::push`, batches of 500", 500.0),
    ("lab03-progress-of-500-in-order", "lab 03, `Progress::processed`, in order", 500.0),
    ("lab03-progress-of-500-reversed", "lab 03, `Progress::processed`, last record first", 500.0),
];

/// From bytes to windows: first what decoding takes alone.
pub const TO_WINDOWS: [Part; 2] = [
    ("lab05-decode-alone", "`decode` alone", 20_000.0),
    ("lab05-decode-and-board", "`decode`, then guard, watermark and windows", 20_000.0),
];

/// Guard, watermark and windows without decoding.
pub const BY_KEYS: [Part; 4] = [
    ("lab05-board-of-3-keys", "a record into a window of 3 keys", 20_000.0),
    ("lab05-board-of-1000-keys", "a record into a window of 1,000 keys", 20_000.0),
    ("lab05-board-of-100000-keys", "a record into a window of 100,000 keys", 20_000.0),
    ("lab05-end-of-100000-keys", "a window of 100,000 keys fires, each key", 100_000.0),
];

/// What one record takes in a pure part.
#[derive(Debug, Clone, Copy)]
pub struct Pure {
    /// The part.
    pub title: &'static str,
    /// Criterion's estimate of the median, in nanoseconds.
    pub ns_per_record: f64,
}

/// Where `cargo bench` has put criterion's estimates: the target folder that this program lies in.
///
/// # Errors
/// When this program lies in none.
pub fn target_folder() -> Result<PathBuf, Box<dyn Error>> {
    let program = std::env::current_exe()?;
    let folder = program.ancestors().nth(2).ok_or("this program lies in no target folder")?;
    Ok(folder.to_owned())
}

/// Reads the estimates.
///
/// # Errors
/// When `cargo bench` has not run in this target folder.
pub fn read(target: &Path, parts: &[Part]) -> Result<Vec<Pure>, Box<dyn Error>> {
    parts
        .iter()
        .map(|&(name, title, records)| {
            let path = target.join("criterion").join(name).join("new/estimates.json");
            let text = std::fs::read_to_string(&path)
                .map_err(|error| format!("{}: {error}; run cargo bench first", path.display()))?;
            let estimates: Value = serde_json::from_str(&text)?;
            let median_ns = estimates["median"]["point_estimate"].as_f64();
            let median_ns = median_ns.ok_or_else(|| format!("{}: no median", path.display()))?;
            Ok(Pure { title, ns_per_record: median_ns / records })
        })
        .collect()
}
