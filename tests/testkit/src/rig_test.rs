//! A test with PostgreSQL, or with Kafka and PostgreSQL.
//!
//! It and [`database`](crate::database) are there with the feature `database`. A lab without a
//! database does without its client, which takes a tenth of the time to the first red test.

use crate::database::TestDatabase;
use crate::kafka::TestKafka;
use crate::own::{Own, Owner, rig_up, run};

/// Kafka and PostgreSQL, and what one test uses of them.
pub struct TestRig {
    /// Kafka, with topics and groups of the test's own.
    pub kafka: TestKafka,
    /// A database of the test's own.
    pub database: TestDatabase,
}

/// Runs a test with an empty database of its own, as [`with_kafka`](crate::with_kafka) does.
#[track_caller]
pub fn with_database(test: impl AsyncFnOnce(&TestDatabase)) {
    let rig = rig_up();
    let owner = Owner::of_closure(&test, rig.prefix());
    run(&owner, async || TestDatabase::create(rig.database_url(), &owner).await, test);
}

/// Runs a test with both, as [`with_kafka`](crate::with_kafka) does.
#[track_caller]
pub fn with_rig(test: impl AsyncFnOnce(&TestRig)) {
    let rig = rig_up();
    let owner = Owner::of_closure(&test, rig.prefix());
    let make = async || TestRig {
        kafka: TestKafka::new(&rig, owner.clone()),
        database: TestDatabase::create(rig.database_url(), &owner).await,
    };
    run(&owner, make, test);
}

impl Own for TestRig {
    async fn clear(&self) {
        self.kafka.clear().await;
        self.database.clear().await;
    }

    fn kept(&self) -> Vec<String> {
        [self.kafka.kept(), self.database.kept()].concat()
    }
}
