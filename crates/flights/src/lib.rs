//! The flights: given code that every lab reads and no lab changes.
//!
//! The data are real: every flight that was to leave New York's three airports in 2013. Each has
//! two clocks. Its *slot* is the time for which it was planned, and the event time of every
//! question in this course. Its *departure* is the time at which it really left, and at which its
//! record arrives on the topic. The two differ by the delay, so the records arrive out of order:
//! six in ten early or on time, one in a hundred more than three hours late. And one flight in
//! forty was cancelled. It has a slot and no departure, so its record never arrives, and nothing
//! on the topic says so.
//!
//! | module | idea |
//! |---|---|
//! | [`flight`] | one departure as the topic carries it, and its two clocks |
//! | [`utc`] | instants as text: `2013-02-18T11:15:00Z` |
//! | [`table`] | strict comma-separated lines: which line, which column, which field |
//! | [`data_set`] | the flights that left, and the flights that never did |
//! | [`reader`] | a data set from CSV, strictly |
//! | [`writer`] | a data set as CSV, such that the reader gives it back |
//! | [`weeks`] | the two weeks that live in the repository |
//! | [`replay`] | the flights again, in the order in which they left, as fast as one likes |
//! | [`generator`] | flights that never flew, placed exactly: late, with a hot key, by a wrong clock |
//! | [`record_generator`] | records of made flights, some of them twice, some no flights at all, and where each lies |
//! | [`poison`] | records that are no flights, of every kind that people meet |
//! | [`edge_log`] | a made log that meets every edge of a window, to the millisecond |
//! | [`lateness`] | how late is too late? The real flights, counted |
//!
//! The program `flights-data`, behind `make data` and `make oracle`, makes the whole year, and
//! writes logs as lines of JSON.

pub mod data_set;
pub mod edge_log;
pub mod flight;
pub mod generator;
pub mod lateness;
pub mod poison;
mod quote;
pub mod reader;
pub mod record_generator;
pub mod replay;
pub mod splitmix;
pub mod table;
pub mod utc;
pub mod weeks;
pub mod writer;

pub use data_set::{Cancelled, DataSet};
pub use flight::{FieldError, Flight};
pub use generator::Generator;
pub use poison::{PoisonKind, PoisonPill};
pub use reader::{ReadError, read_csv};
pub use record_generator::{Generated, RecordGenerator};
pub use replay::{Replay, Speed, arrival_order};
pub use weeks::Week;
pub use writer::write_csv;
