//! A test that has something of its own on the servers.
//!
//! It takes what it needs under names of its own. When the test has passed, or has only run
//! into a `todo!`, that is removed; when it has failed, it is kept and named, to be looked at.

use std::any::type_name_of_val;
use std::panic::{AssertUnwindSafe, Location, resume_unwind};

use futures::FutureExt;
use rig::Rig;
use tokio::runtime;

use crate::kafka::TestKafka;
use crate::lab;
use crate::names::TestName;
use crate::report;
use crate::verdict::Verdict;

/// Runs a test with topics and groups of its own. To be called from the test itself, whose name
/// it takes from the closure.
///
/// ```no_run
/// #[test]
/// fn a_new_topic_is_empty() {
///     testkit::with_kafka(async |kafka| {
///         let topic = kafka.create_topic("flights", 3).await;
///     });
/// }
/// ```
#[track_caller]
pub fn with_kafka(test: impl AsyncFnOnce(&TestKafka)) {
    let rig = rig_up();
    let owner = Owner::of_closure(&test, rig.prefix());
    run(&owner, async || TestKafka::new(&rig, owner.clone()), test);
}

#[track_caller]
pub(crate) fn rig_up() -> Rig {
    match Rig::up() {
        Ok(rig) => rig,
        Err(error) => Verdict::rig_is_down(error.to_string(), Location::caller()),
    }
}

/// What a test has on the servers.
pub(crate) trait Own {
    /// Removes it.
    async fn clear(&self);

    /// The commands that show what is still there.
    fn kept(&self) -> Vec<String>;
}

/// Who a name on the servers belongs to.
#[derive(Clone)]
pub(crate) struct Owner {
    prefix: String,
    package: String,
    test: TestName,
}

impl Owner {
    pub(crate) fn of_closure<T>(closure: &T, prefix: &str) -> Owner {
        let crate_name = type_name_of_val(closure).split("::").next().unwrap_or_default();
        Owner {
            prefix: prefix.to_owned(),
            package: lab::get().map_or(crate_name, |lab| lab.package).to_owned(),
            test: TestName::of_closure(closure),
        }
    }

    pub(crate) fn kafka_name(&self, purpose: &str) -> String {
        self.test.kafka_name(&self.prefix, &self.package, purpose)
    }

    #[cfg(feature = "database")]
    pub(crate) fn postgres_name(&self) -> String {
        self.test.postgres_name(&self.prefix, &self.package)
    }
}

/// Makes what the test needs, runs it, and clears up or says what is kept.
pub(crate) fn run<O: Own>(
    owner: &Owner,
    make: impl AsyncFnOnce() -> O,
    test: impl AsyncFnOnce(&O),
) {
    let _running = owner.test.clone().enter();
    let outcome = runtime_of(&owner.test).block_on(async {
        let own = make().await;
        let outcome = AssertUnwindSafe(test(&own)).catch_unwind().await;
        if outcome.is_ok() || report::is_todo(&owner.test) {
            own.clear().await;
        } else {
            for command in own.kept() {
                eprintln!("  kept for you to look at: {command}");
            }
        }
        outcome
    });
    match outcome {
        Ok(()) => report::forget(&owner.test),
        Err(panic) => resume_unwind(panic),
    }
}

/// One thread is enough for a test. A panic in a blocking task belongs to the test as well.
fn runtime_of(test: &TestName) -> runtime::Runtime {
    let test = test.clone();
    runtime::Builder::new_current_thread()
        .enable_all()
        .on_thread_start(move || std::mem::forget(test.clone().enter()))
        .build()
        .expect("the system gives a runtime")
}
