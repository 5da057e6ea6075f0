//! Step 5: who owns which partition, and what is read twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rdkafka::ClientContext;
use rdkafka::consumer::{BaseConsumer, ConsumerContext, Rebalance};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

// ANCHOR: events
/// What a rebalance did to one member. The partitions are those of one topic, in ascending order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// These partitions are the member's own from now on.
    Assigned(Vec<i32>),
    /// These are about to be taken away; until now they are still its own.
    Revoked(Vec<i32>),
    /// The rebalance failed.
    Failed(String),
}

/// What one member of a group did, or what happened to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupEvent {
    /// The member's name.
    pub member: String,
    /// What it did.
    pub what: What,
}

/// See [`GroupEvent`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A rebalance.
    Rebalanced(Change),
    /// It read a record.
    Read {
        /// The record's partition.
        partition: i32,
        /// The record's offset.
        offset: i64,
    },
    /// It committed everything that it had read.
    Committed,
    /// It left in good order.
    Left,
    /// It was killed. Nobody in the group was told.
    Killed,
}

/// A record that was read more than once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadTwice {
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// Who read it, in the order of reading.
    pub members: Vec<String>,
}
// ANCHOR_END: events

/// What the client tells *before* it acts: the partitions that are about to go, and a failure.
/// `None` for partitions that are about to come: they are not here yet.
pub fn change_before(rebalance: &Rebalance<'_>) -> Option<Change> {
    match rebalance {
        Rebalance::Assign(_) => None,
        Rebalance::Revoke(partitions) => Some(Change::Revoked(numbers(partitions))),
        Rebalance::Error(error) => Some(Change::Failed(error.to_string())),
    }
}

/// What the client tells *after* it has acted: the partitions that have come. `None` for all that
/// [`change_before`] has told.
pub fn change_after(rebalance: &Rebalance<'_>) -> Option<Change> {
    match rebalance {
        Rebalance::Assign(partitions) => Some(Change::Assigned(numbers(partitions))),
        Rebalance::Revoke(_) | Rebalance::Error(_) => None,
    }
}

/// Who owns each partition after these events, as far as the members themselves know. A partition
/// that somebody once had is listed also where nobody has it now.
///
/// Two owners at a time are possible: a member that the group has given up hears of it late.
pub fn owners(events: &[GroupEvent]) -> BTreeMap<i32, BTreeSet<String>> {
    let mut owners: BTreeMap<i32, BTreeSet<String>> = BTreeMap::new();
    for GroupEvent { member, what } in events {
        match what {
            What::Rebalanced(Change::Assigned(partitions)) => {
                for partition in partitions {
                    owners.entry(*partition).or_default().insert(member.clone());
                }
            }
            What::Rebalanced(Change::Revoked(partitions)) => {
                for partition in partitions {
                    owners.entry(*partition).or_default().remove(member);
                }
            }
            What::Left | What::Killed => {
                owners.values_mut().for_each(|members| {
                    members.remove(member);
                });
            }
            What::Rebalanced(Change::Failed(_)) | What::Read { .. } | What::Committed => {}
        }
    }
    owners
}

/// The records that were read more than once, by partition and offset. One member may well be both
/// readers.
pub fn read_twice(events: &[GroupEvent]) -> Vec<ReadTwice> {
    let mut readers: BTreeMap<(i32, i64), Vec<String>> = BTreeMap::new();
    for GroupEvent { member, what } in events {
        if let What::Read { partition, offset } = what {
            readers.entry((*partition, *offset)).or_default().push(member.clone());
        }
    }
    let more_than_one = |((partition, offset), members): ((i32, i64), Vec<String>)| {
        (members.len() > 1).then_some(ReadTwice { partition, offset, members })
    };
    readers.into_iter().filter_map(more_than_one).collect()
}

/// Given: the numbers of a list's partitions, in ascending order.
pub fn numbers(partitions: &rdkafka::TopicPartitionList) -> Vec<i32> {
    let mut numbers: Vec<i32> =
        partitions.elements().iter().map(|partition| partition.partition()).collect();
    numbers.sort_unstable();
    numbers
}

/// Given: what a consumer hears of the rebalances of its group, kept until it is taken.
///
/// The client calls it from within the call that waits for the next record, and from no other: a
/// consumer that does not ask for records hears of no rebalance.
#[derive(Debug, Clone, Default)]
pub struct Rebalances {
    heard: Arc<Mutex<Vec<Change>>>,
    some_heard: Arc<Notify>,
}

impl Rebalances {
    /// What was heard since the last call, in order.
    pub fn take(&self) -> Vec<Change> {
        std::mem::take(&mut self.heard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until something was heard. While no record comes, whoever waits for the next one
    /// would not learn of it otherwise.
    pub async fn some(&self) {
        self.some_heard.notified().await;
    }

    fn note(&self, change: Option<Change>) {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).extend(change);
        self.some_heard.notify_one();
    }
}

impl ClientContext for Rebalances {}

/// A consumer that is dropped leaves its group, which calls this once more. If that is in the
/// course of a panic, a second panic here would end the whole process.
impl ConsumerContext for Rebalances {
    fn pre_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if !thread::panicking() {
            self.note(change_before(rebalance));
        }
    }

    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if !thread::panicking() {
            self.note(change_after(rebalance));
        }
    }
}
