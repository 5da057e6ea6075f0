//! Strict comma-separated lines: which line, which column, which field.
//!
//! The format is smaller than CSV in general, and every CSV tool reads it: one line is one record,
//! a comma always separates, a line feed always ends the line, and nothing is quoted. So the column
//! in an error is the column in an editor, and a stray quotation mark cannot swallow a whole file.
//!
//! A library for CSV in general is lenient where this reader must not be. The `csv` crate skips
//! empty lines and a byte order mark, and reads `0x1F` and `+5` as numbers.

use std::array;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::str::FromStr;

use thiserror::Error;

use crate::quote::quoted;

/// The longest line that is read, without its line feed. What is longer is one error, whatever
/// its length, and never held in memory.
pub const MAX_LINE_BYTES: usize = 64 * 1024;

/// Why a file could not be read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// A field does not hold what it must hold.
    #[error("{place}, field `{field}`: expected {expected}, found {found}")]
    Field {
        /// Where the field starts.
        place: Place,
        /// The field's name, as in the header.
        field: &'static str,
        /// What the field may hold.
        expected: String,
        /// What it holds.
        found: String,
    },
    /// A line as a whole is wrong.
    #[error("{place}: expected {expected}, found {found}")]
    Line {
        /// Where it goes wrong.
        place: Place,
        /// What the line should hold there.
        expected: String,
        /// What it holds there.
        found: String,
    },
    /// The file itself could not be read.
    #[error("cannot read {file}: {source}")]
    Io {
        /// The file.
        file: String,
        /// The system's reason.
        source: io::Error,
    },
}

/// A place in a file, as an editor counts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file's name, as the caller gave it.
    pub file: String,
    /// The line, from 1; the header is line 1.
    pub line: u64,
    /// The byte in the line, from 1.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}, column {}", self.file, self.line, self.column)
    }
}

/// A file of `N` columns that is read line by line.
pub struct Table<R, const N: usize> {
    source: BufReader<R>,
    file: String,
    columns: [&'static str; N],
    /// The number of the line in `buffer`, from 1; 0 before the first.
    line: u64,
    /// One line without its line feed.
    buffer: Vec<u8>,
}

/// One value, and where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    file: &'a str,
    line: u64,
    column: usize,
    name: &'static str,
    text: &'a str,
}

impl<R: Read, const N: usize> Table<R, N> {
    /// Starts to read a file. Its header must name exactly these columns, in this order.
    ///
    /// # Errors
    /// When the file is empty, or its header is another one.
    pub fn open(source: R, file: &str, columns: [&'static str; N]) -> Result<Self, ReadError> {
        let source = BufReader::new(source);
        let mut table = Self { source, file: file.to_owned(), columns, line: 0, buffer: vec![] };
        if !table.read_line()? {
            let header = format!("the header `{}`", columns.join(","));
            return Err(table.wrong_line(1, header, "the end of the file"));
        }
        for field in &table.leading_fields()? {
            if field.text != field.name {
                return Err(field.refuse(format!("the header `{}`", field.name)));
            }
        }
        table.fields()?;
        Ok(table)
    }

    /// Reads the next record; `None` at the end of the file.
    ///
    /// # Errors
    /// When the line is too long, not UTF-8, not ended by a line feed, or does not have exactly one
    /// value for each column.
    pub fn next_record(&mut self) -> Result<Option<[Field<'_>; N]>, ReadError> {
        if self.read_line()? { self.fields().map(Some) } else { Ok(None) }
    }

    /// Fills the buffer with the next line; false at the end of the file.
    fn read_line(&mut self) -> Result<bool, ReadError> {
        self.buffer.clear();
        self.line += 1;
        let limit = MAX_LINE_BYTES as u64 + 1;
        let read = (&mut self.source)
            .take(limit)
            .read_until(b'\n', &mut self.buffer)
            .map_err(|source| ReadError::Io { file: self.file.clone(), source })?;
        if read == 0 || self.buffer.pop_if(|byte| *byte == b'\n').is_some() {
            return Ok(read > 0);
        }
        if read > MAX_LINE_BYTES {
            let expected = format!("a line of at most {MAX_LINE_BYTES} bytes");
            return Err(self.wrong_line(read, expected, "a longer one"));
        }
        Err(self.wrong_line(read + 1, "a line feed", "the end of the file"))
    }

    /// The line in the buffer, as one field for each column.
    fn fields(&self) -> Result<[Field<'_>; N], ReadError> {
        let fields = self.leading_fields()?;
        if let Some(missing) = self.columns.get(fields.len()) {
            let field = self.field(missing, self.buffer.len() + 1, "");
            let end = if self.buffer.is_empty() { "an empty line" } else { "the end of the line" };
            return Err(field.error("a value", end));
        }
        let last_end = fields.last().map_or(0, |field| field.column - 1 + field.text.len());
        if last_end < self.buffer.len() {
            let rest = String::from_utf8_lossy(&self.buffer[last_end..]);
            let expected = format!("the end of the line after {N} values");
            return Err(self.wrong_line(last_end + 1, expected, quoted(&rest)));
        }
        Ok(array::from_fn(|index| fields[index]))
    }

    /// The first fields of the line in the buffer, at most as many as there are columns.
    fn leading_fields(&self) -> Result<Vec<Field<'_>>, ReadError> {
        let line =
            str::from_utf8(&self.buffer).map_err(|error| self.not_utf8(error.valid_up_to()))?;
        if line.is_empty() {
            return Ok(vec![]);
        }
        let mut column = 1;
        let fields = self.columns.iter().zip(line.split(',')).map(|(name, text)| {
            let field = self.field(name, column, text);
            column += text.len() + 1;
            field
        });
        Ok(fields.collect())
    }

    fn field<'a>(&'a self, name: &'static str, column: usize, text: &'a str) -> Field<'a> {
        Field { file: &self.file, line: self.line, column, name, text }
    }

    fn not_utf8(&self, valid_bytes: usize) -> ReadError {
        let (valid, rest) = self.buffer.split_at(valid_bytes);
        let column = valid_bytes + 1;
        let found = format!("the byte 0x{:02x}", rest[0]);
        let commas = valid.iter().filter(|byte| **byte == b',').count();
        match self.columns.get(commas) {
            Some(name) => self.field(name, column, "").error("UTF-8 text", found),
            None => self.wrong_line(column, "UTF-8 text", found),
        }
    }

    fn wrong_line(
        &self,
        column: usize,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> ReadError {
        let place = Place { file: self.file.clone(), line: self.line, column };
        ReadError::Line { place, expected: expected.into(), found: found.into() }
    }
}

impl<'a> Field<'a> {
    /// The value as it is written.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The column's name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The line in which the value stands, from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Reads a whole number as a computer writes it: no sign `+`, no leading zero, no fraction.
    ///
    /// # Errors
    /// When the value is anything else, or does not fit into the type.
    pub fn whole_number<T: FromStr + ToString>(&self, expected: &str) -> Result<T, ReadError> {
        match self.text.parse::<T>() {
            Ok(number) if number.to_string() == self.text => Ok(number),
            _ => Err(self.refuse(expected)),
        }
    }

    /// The error that the value is not what was expected.
    pub fn refuse(&self, expected: impl Into<String>) -> ReadError {
        self.error(expected, quoted(self.text))
    }

    /// The error that something else was expected here than was found.
    pub fn error(&self, expected: impl Into<String>, found: impl Into<String>) -> ReadError {
        let place = Place { file: self.file.to_owned(), line: self.line, column: self.column };
        ReadError::Field { place, field: self.name, expected: expected.into(), found: found.into() }
    }
}
