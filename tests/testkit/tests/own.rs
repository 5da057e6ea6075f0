//! What a test has on the servers: its own names, there at once, gone when the test has passed,
//! kept when it has failed. With a real Kafka and a real PostgreSQL.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use testkit::{with_database, with_kafka, with_rig};

fn is_there(topic: &str) -> bool {
    let mut there = false;
    with_kafka(async |kafka| there = kafka.has_topic(topic).await);
    there
}

fn databases() -> Vec<String> {
    let mut names = Vec::new();
    with_database(async |database| {
        let rows = database.connect().await.query("SELECT datname FROM pg_database", &[]).await;
        names = rows.expect("the server answers").iter().map(|row| row.get(0)).collect();
    });
    names
}

#[test]
fn a_topic_is_only_reserved_and_one_that_was_made_is_deleted() {
    let (mut reserved, mut made) = (String::new(), String::new());
    with_kafka(async |kafka| {
        reserved = kafka.topic("reserved");
        made = kafka.create_topic("made", 3).await;
        assert!(!kafka.has_topic(&reserved).await);
        assert!(kafka.has_topic(&made).await);
    });
    assert!(made.starts_with("own-a_topic_is_only_reserved"), "{made}");
    assert!(!is_there(&made));
}

#[test]
fn two_topics_of_one_test_differ() {
    with_kafka(async |kafka| {
        assert_ne!(kafka.topic("flights"), kafka.topic("flights"));
        assert_ne!(kafka.group("readers"), kafka.group("readers"));
    });
}

#[test]
fn what_a_failed_test_made_is_kept() {
    let mut made = String::new();
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        with_kafka(async |kafka| {
            made = kafka.create_topic("made", 1).await;
            panic!("this test fails by intent");
        });
    }));
    assert!(outcome.is_err());
    assert!(is_there(&made));
    with_kafka(async |kafka| kafka.delete(&made).await);
    assert!(!is_there(&made));
}

#[test]
fn a_database_is_empty_and_gone_afterwards() {
    let mut name = String::new();
    with_rig(async |rig| {
        name = rig.database.name().to_owned();
        let client = rig.database.connect().await;
        let row = client.query_one("SELECT current_database()", &[]).await.expect("it answers");
        assert_eq!(row.get::<_, String>(0), name);
        // Left open on purpose: the code under test may forget to close a connection.
        std::mem::forget(client);
    });
    assert!(name.starts_with("own_a_database_is_empty"), "{name}");
    assert!(!databases().contains(&name));
}

/// A stopwatch on a busy machine proves little, so the bound is wide: it catches a fixed wait. The
/// times themselves are printed, for whoever runs this with `--nocapture`.
#[test]
fn topic_and_database_are_there_without_a_fixed_wait() {
    const AT_MOST: Duration = Duration::from_secs(1);
    let best_of_three = |take: &dyn Fn() -> Duration| (0..3).map(|_| take()).min().unwrap();
    let database = best_of_three(&|| {
        let start = Instant::now();
        let mut took = Duration::MAX;
        with_database(async |_| took = start.elapsed());
        took
    });
    let topic = best_of_three(&|| {
        let mut took = Duration::MAX;
        with_kafka(async |kafka| {
            let start = Instant::now();
            kafka.create_topic("timed", 3).await;
            took = start.elapsed();
        });
        took
    });
    println!("a database took {database:?}, a topic of 3 partitions {topic:?}");
    assert!(database < AT_MOST && topic < AT_MOST, "{database:?} and {topic:?}");
}
