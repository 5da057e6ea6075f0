//! A line for each need: `ok`, `note`, `MISSING` or `not asked`.

use std::io::{self, Write};

use crate::need::Need;

/// What a server answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is there: what was found.
    Ok(String),
    /// It is there, and there is something to know.
    Note(String),
    /// It is missing: why, and what helps.
    Missing(String),
}

impl From<Result<String, String>> for Answer {
    fn from(result: Result<String, String>) -> Answer {
        match result {
            Ok(found) => Answer::Ok(found),
            Err(why) => Answer::Missing(why),
        }
    }
}

/// What has been told so far.
pub struct Report<W> {
    out: W,
    told: Vec<Need>,
    missing: usize,
}

impl<W: Write> Report<W> {
    /// An empty one.
    pub fn new(out: W) -> Report<W> {
        Report { out, told: Vec::new(), missing: 0 }
    }

    /// A line of its own.
    pub fn say(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.out, "{line}")?;
        self.out.flush()
    }

    /// The line of a need. Whether the need is met.
    pub fn tell(&mut self, need: Need, answer: impl Into<Answer>) -> io::Result<bool> {
        let (word, sentence) = match answer.into() {
            Answer::Ok(found) => ("ok", found),
            Answer::Note(found) => ("note", found),
            Answer::Missing(why) => ("MISSING", why),
        };
        let is_missing = word == "MISSING";
        self.missing += usize::from(is_missing);
        self.line(word, need, &sentence)?;
        Ok(!is_missing)
    }

    /// The lines of those needs that were not told.
    pub fn not_asked(&mut self, needs: &[Need]) -> io::Result<()> {
        for need in needs {
            if !self.told.contains(need) {
                self.line("not asked", *need, "a need before it is missing")?;
            }
        }
        Ok(())
    }

    /// How many needs are missing.
    pub fn missing(&self) -> usize {
        self.missing
    }

    fn line(&mut self, word: &str, need: Need, sentence: &str) -> io::Result<()> {
        self.told.push(need);
        self.say(&format!("{word:<10}{:<21}{sentence}", need.name()))
    }
}
