//! What criterion found about the pure parts.

use std::error::Error;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The benchmarks of `benches/pure.rs`: name, title, and how many records one run deals with.
const PURE: [(&str, &str, f64); 4] = [
    ("lab01-decode", "lab 01, `decode`", 1.0),
    ("lab02-batch-of-500", "lab 02, `Batch::push`, batches of 500", 500.0),
    ("lab03-progress-of-500-in-order", "lab 03, `Progress::processed`, in order", 500.0),
    ("lab03-progress-of-500-reversed", "lab 03, `Progress::processed`, last record first", 500.0),
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
pub fn read(target: &Path) -> Result<Vec<Pure>, Box<dyn Error>> {
    PURE.into_iter()
        .map(|(name, title, records)| {
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
