//! Helper of the labs' tests: assertions that teach, topics and databases of one test's own, and
//! the closing lines of a run.
//!
//! A lab's `tests/labNN/main.rs` calls [`lab!`] once. Its tests are plain `#[test]` functions in
//! a module a step, such as `step1_event`; tests of given code stand in the module `given`.
//!
//! | module | idea |
//! |---|---|
//! | [`mod@rule`] | an assertion that says the rule first, and asks a question last |
//! | [`difference`] | two values, shown so that the first difference is seen |
//! | [`deadline`] | waiting without sleeping |
//! | `property` | a rule that holds for every input, tried on many |
//! | [`own`] | a test that has something of its own on the servers |
//! | [`kafka`] | topics and groups of one test's own |
//! | `database` | a database of one test's own |
//! | [`page`] | a page of the book, held against what it speaks of |
//! | [`program`] | a program at work, stopped as Ctrl-C does |
//! | `rig_test` | a test with a database, or with Kafka and a database |
//! | `lab` | which lab this is: its files, steps and chapter |
//! | `names` | which test is running, and names made from it |
//! | `verdict` | what a failed assertion panics with |
//! | `hook` | what is printed when a test panics |
//! | `report` | the failed tests of this process |
//! | `asked` | which tests the command line asked for |
//! | `closing` | what is printed when a run ends |

#[cfg(feature = "database")]
pub mod database;
pub mod deadline;
pub mod difference;
pub mod kafka;
pub mod own;
pub mod page;
pub mod program;
#[cfg(feature = "property")]
pub mod property;
#[cfg(feature = "database")]
pub mod rig_test;
pub mod rule;

mod asked;
mod closing;
mod hook;
mod lab;
mod names;
mod report;
mod verdict;

#[cfg(feature = "database")]
pub use database::TestDatabase;
pub use deadline::{until, within};
pub use kafka::TestKafka;
pub use lab::{Lab, Step};
pub use own::with_kafka;
#[cfg(feature = "property")]
pub use property::for_all;
#[cfg(feature = "database")]
pub use rig_test::{TestRig, with_database, with_rig};
pub use rule::{Rule, rule};

#[doc(hidden)]
pub use ctor;

/// Registers the lab whose tests are in this binary. Called once, in its `main.rs`.
///
/// ```
/// testkit::lab! {
///     chapter: "book/src/01-topics-and-events.md",
///     steps: [
///         "event.rs": "a flight as strict JSON",
///         "record.rs": "key, timestamp and headers",
///     ],
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! lab {
    (
        chapter: $chapter:literal,
        steps: [$($file:literal: $title:literal),+ $(,)?] $(,)?
    ) => {
        $crate::ctor::declarative::ctor! {
            // A constructor runs before `main` and so before libtest, which has no other place
            // for code that runs once. It allocates and sets a panic hook; both work there.
            #[ctor(unsafe, anonymous)]
            fn register() {
                $crate::register($crate::Lab {
                    package: env!("CARGO_PKG_NAME"),
                    manifest_dir: env!("CARGO_MANIFEST_DIR"),
                    chapter: $chapter,
                    steps: &[$($crate::Step { file: $file, title: $title }),+],
                });
            }
        }
    };
}

/// What [`lab!`] calls before the first test runs.
#[doc(hidden)]
pub fn register(lab: Lab) {
    lab::set(lab);
    hook::install();
    closing::install();
}
