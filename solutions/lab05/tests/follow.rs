//! `cargo run -p lab05` without an end of its own, and Ctrl-C: what has fired is in the tables, what
//! is open is said, and nothing is lost between the two.

use std::time::Duration;

use flights::replay::arrival_order;
use flights::weeks::Week;
use lab04::guard::ALLOWED_AHEAD;
use lab05_solution::board::{Arrival, Board, BoardConfig};
use lab05_solution::tables::{DROPPED, RESULTS};
use rig::Rig;
use runs::RunSchema;
use testkit::program::{AtWork, Ended};
use testkit::until;
use tokio::runtime::Runtime;
use tokio_postgres::Client;

const PROGRAM: &str = env!("CARGO_BIN_EXE_lab05-solution");

/// So long may take what is awaited, on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// Where the storm week's records are when all are read and the input has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Places {
    in_results: i64,
    dropped: i64,
    in_open_windows: i64,
}

/// By the board alone, on one partition with a bound of 15 minutes.
fn expected() -> Places {
    let config = BoardConfig {
        window: Duration::from_secs(60 * 60),
        bound: Duration::from_secs(15 * 60),
        allowed_lateness: Duration::ZERO,
        idle_after: None,
        allowed_ahead: ALLOWED_AHEAD,
    };
    let mut board = Board::new(&[0], &config).expect("an hour is a size");
    let mut in_results = 0;
    for (offset, flight) in (0..).zip(&arrival_order(Week::Storm.load().departed)) {
        let arrival = Arrival { partition: 0, offset, arrived_ms: flight.departed_ms(), flight };
        let results = board.on_flight(arrival, Duration::ZERO).results;
        in_results += results.iter().map(|result| result.delays.count as i64).sum::<i64>();
    }
    Places {
        in_results,
        dropped: board.counts().dropped.total() as i64,
        in_open_windows: board.aggregation().state().records_in_open() as i64,
    }
}

async fn tables() -> Client {
    let rig = Rig::up().expect("the rig is up");
    let schema = RunSchema::of_run(&rig, "lab05_solution").await;
    let client = schema.expect("there is a schema").connect().await;
    client.expect("the database takes connections")
}

/// The records in the table of results, and those in the table of the dropped.
async fn in_tables(client: &Client) -> (i64, i64) {
    let question = format!(
        "SELECT (SELECT coalesce(sum(count), 0)::bigint FROM {RESULTS}), \
             (SELECT count(*) FROM {DROPPED})"
    );
    let row = client.query_one(&question, &[]).await.expect("the tables can be read");
    (row.get(0), row.get(1))
}

/// The number in the line of the last account that holds these words; 0 where there is none.
fn said_of(said: &str, words: &str) -> i64 {
    let line = said.lines().find(|line| line.contains(words)).unwrap_or_default();
    line.split_whitespace().next().map_or(0, |number| number.parse().expect("it is a number"))
}

/// The program has ended well, and its account is that of the tables. Gives what it has read, and
/// what was in windows that had not fired.
async fn has_ended_well(ended: &Ended, client: &Client) -> (i64, i64) {
    let Ended { status, said, shown } = ended;
    assert_eq!(status.code(), Some(0), "{said}{shown}");
    assert!(shown.contains("stopping: finishing what is held"), "{shown}");
    let (in_results, dropped) = in_tables(client).await;
    let read = said_of(said, " records read, ");
    let open = said_of(said, " in windows that have not fired");
    assert_eq!(said_of(said, " rows of "), in_results, "{said}");
    assert_eq!(said_of(said, "window_gone"), dropped, "{said}");
    assert_eq!(in_results + dropped + open + said_of(said, " dead letters"), read, "{said}");
    (read, open)
}

/// One test: the runs share their tables.
#[test]
fn ctrl_c_fires_nothing_and_writes_what_has_fired() {
    let runtime = Runtime::new().expect("the system gives a runtime");
    runtime.block_on(async {
        let expected = expected();
        assert!(
            expected.in_open_windows > 0,
            "there is something that a stop could fire: {expected:?}"
        );

        // All is read, and the program waits for more.
        let following = AtWork::start(PROGRAM, &["--partitions", "1", "--follow"]);
        let client = tables().await;
        until(LIMIT, "what fires before the end of the week", async || {
            match in_tables(&client).await {
                found if found == (expected.in_results, expected.dropped) => Ok(()),
                found => Err(format!("{found:?}, expected {expected:?}")),
            }
        })
        .await;
        following.interrupt();
        let stopped = following.end();
        let (read, open) = has_ended_well(&stopped, &client).await;
        let week = Week::Storm.load().departed.len() as i64;
        assert_eq!((read, open), (week, expected.in_open_windows), "{}", stopped.said);

        // In the middle of a replay.
        let replaying = AtWork::start(PROGRAM, &["--partitions", "1", "--speed", "20000x"]);
        until(LIMIT, "the first rows of the replay", async || match in_tables(&client).await {
            (0, _) => Err("no row".to_owned()),
            _ => Ok(()),
        })
        .await;
        replaying.interrupt();
        let stopped = replaying.end();
        let (read, _) = has_ended_well(&stopped, &client).await;
        assert!(read < week, "{}", stopped.said);
    });
}
