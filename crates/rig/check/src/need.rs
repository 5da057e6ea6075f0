//! What the labs need of their servers, and why: the only place where that is written down.

/// As many tests run at once: `RUST_TEST_THREADS` in `.cargo/config.toml`.
const TESTS_AT_ONCE: usize = 8;

/// As many connections to PostgreSQL has one test at most.
const CONNECTIONS_OF_A_TEST: usize = 3;

/// As many connections to PostgreSQL there must be at once.
pub const CONNECTIONS: usize = TESTS_AT_ONCE * CONNECTIONS_OF_A_TEST;

/// Something that the labs need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Kafka lets this client in.
    LogIn,
    /// Kafka says of which brokers it is made.
    Brokers,
    /// Kafka lets this user make topics and use groups, and takes a replication factor.
    Rights,
    /// Topics can be made, described and given more partitions.
    Topics,
    /// Topics keep records of 2013.
    Retention,
    /// Records of 2013 keep their timestamps.
    Timestamps,
    /// Records can be as large as clients make them.
    Size,
    /// No quota holds back who writes.
    Pace,
    /// Records can be written by an idempotent producer to as many brokers as it takes.
    Writing,
    /// Records come back as they were written.
    Reading,
    /// Offsets can be found by time.
    Times,
    /// Records can be deleted.
    Deleting,
    /// Groups can be joined, committed for, listed and deleted.
    Groups,
    /// Records can be written in a transaction.
    Transactions,
    /// Kafka's clock is this machine's.
    KafkaClock,
    /// What was made on Kafka can be removed.
    Removing,
    /// PostgreSQL lets this client in, and is new enough.
    Database,
    /// The database can be written to.
    Writable,
    /// Schemas can be made.
    Schemas,
    /// Databases can be made and dropped.
    Databases,
    /// Text may have any letter.
    Encoding,
    /// Enough connections are free.
    Connections,
    /// PostgreSQL's clock is this machine's.
    PostgresClock,
}

impl Need {
    /// What is asked of Kafka, in order.
    pub const OF_KAFKA: [Need; 16] = [
        Need::LogIn,
        Need::Brokers,
        Need::Rights,
        Need::Topics,
        Need::Retention,
        Need::Writing,
        Need::Timestamps,
        Need::Size,
        Need::Pace,
        Need::Reading,
        Need::Times,
        Need::Deleting,
        Need::Groups,
        Need::Transactions,
        Need::KafkaClock,
        Need::Removing,
    ];

    /// What is asked of PostgreSQL, in order.
    pub const OF_POSTGRES: [Need; 7] = [
        Need::Database,
        Need::Writable,
        Need::Schemas,
        Need::Databases,
        Need::Encoding,
        Need::Connections,
        Need::PostgresClock,
    ];

    /// A few words, at the beginning of a line.
    pub fn name(self) -> &'static str {
        self.words().0
    }

    /// A name, and what the labs need it for.
    fn words(self) -> (&'static str, String) {
        let (name, why) = match self {
            Need::LogIn => ("an answer", "Kafka is reached, trusted, and lets you in"),
            Need::Brokers => ("brokers", "one is enough; how many there are is said"),
            Need::Rights => (
                "rights",
                "topics may be made, kept on 1 broker, else 3, or `TIDEMARK_REPLICATION`, and groups used",
            ),
            Need::Topics => (
                "topics",
                "every test makes its own, describes them, and some give a topic more partitions",
            ),
            Need::Retention => (
                "retention.ms=-1",
                "the flights are of 2013; with any other retention they are deleted within minutes",
            ),
            Need::Writing => (
                "idempotent producer",
                "every record is written once, and to `min.insync.replicas` brokers",
            ),
            Need::Timestamps => (
                "timestamps of 2013",
                "a record's timestamp is its flight's departure: `CreateTime`, however old",
            ),
            Need::Size => ("records of 900 kB", "what clients send without asking: up to 1 MB"),
            Need::Pace => (
                "pace of writing",
                "a week of flights, 1 MB, is written at once; a quota may hold it back",
            ),
            Need::Reading => {
                ("reading", "key, headers, timestamp and payload come back as they were written")
            }
            Need::Times => ("offsets for times", "lab 03 starts at an instant"),
            Need::Deleting => {
                ("deletion of records", "labs 03, 04 and 05 read a topic whose beginning is gone")
            }
            Need::Groups => {
                ("groups", "lab 02 joins and commits, lab 03 looks at groups, tests delete theirs")
            }
            Need::Transactions => ("transactions", "lab 05 reads past the marks that they leave"),
            Need::KafkaClock => {
                ("Kafka's clock", "records from the future are refused; seconds do no harm")
            }
            Need::Removing => ("deletion of topics", "a green test removes what it made"),
            Need::Database => ("PostgreSQL", "version 13 or newer lets you in"),
            Need::Writable => {
                ("writing to it", "a standby, or a user of `read_only`, can't be used")
            }
            Need::Schemas => ("schemas", "each lab's run has one"),
            Need::Databases => ("databases", "each test with tables has one of its own"),
            Need::Encoding => ("UTF8", "names and payloads may have any letter"),
            Need::Connections => {
                let why = format!(
                    "{CONNECTIONS}: {TESTS_AT_ONCE} tests run at once, with up to \
                     {CONNECTIONS_OF_A_TEST} each"
                );
                return ("connections", why);
            }
            Need::PostgresClock => ("PostgreSQL's clock", "seconds do no harm"),
        };
        (name, why.to_owned())
    }
}

/// The needs as a table in Markdown.
pub fn table() -> String {
    let rows = Need::OF_KAFKA.into_iter().chain(Need::OF_POSTGRES).map(|need| {
        let (name, why) = need.words();
        format!("| {name} | {why} |\n")
    });
    format!("| what | why |\n|---|---|\n{}", rows.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many tests run at once.
    const CARGO: &str = include_str!("../../../../.cargo/config.toml");

    /// A page of the book.
    const PAGE: &str = include_str!("../../../../book/src/what-the-labs-need.md");

    #[test]
    fn the_book_lists_what_is_asked() {
        let table = table();
        assert!(
            PAGE.contains(&table),
            "book/src/what-the-labs-need.md, expected the table of `cargo run -p rig-check -- --list`:\n{table}"
        );
    }

    #[test]
    fn as_many_tests_run_at_once_as_cargo_is_told() {
        assert!(CARGO.contains(&format!("RUST_TEST_THREADS = \"{TESTS_AT_ONCE}\"")), "{CARGO}");
    }
}
