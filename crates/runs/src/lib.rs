//! Given code: what the runs of the labs share, from lab 02 on.
//!
//! `cargo run -p lab02` drives the learner's library from outside: it has the topic filled, the
//! tables empty, a line that lives and a way to stop. A lab's library knows nothing of it.
//!
//! | module | idea |
//! |---|---|
//! | [`board`] | a departure board as text, from the tables that a job has written |
//! | [`filled`] | a topic for each data set, filled once and checked by its count |
//! | [`idle`] | the option that says when a partition is idle |
//! | [`generated`] | a generated stream on a topic, a million records in seconds |
//! | [`schema`] | a schema of the database that is the run's own |
//! | [`live`] | one line that shows how far the run is |
//! | [`stop`] | Ctrl-C as a wish to stop, and a second one as an order |
//!
//! How a run ends is in `rig::ending`, since lab 01 needs it as well.

pub mod board;
pub mod filled;
pub mod generated;
pub mod idle;
pub mod live;
pub mod schema;
pub mod stop;

pub use board::BoardTables;
pub use filled::{FillError, Filled, filled_once, keeps_order};
pub use generated::{WriteError, write_generated};
pub use idle::IdleAfter;
pub use live::{Figures, LiveLine, counted};
pub use schema::{RunSchema, SchemaError};
pub use stop::stop_on_signal;
