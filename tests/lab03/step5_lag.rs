//! Step 5: how far behind a group is.
//!
//! Invariants:
//! 1. The lag is the log end offset minus the committed offset, for each partition.
//! 2. Without a commit it is all that the log holds; no partition is left out.
//! 3. To look changes nothing.

use std::thread;

use futures::executor::block_on;
use lab03::broker::BrokerError;
use lab03::lag::{PartitionLag, group_lag};
use lab03::progress::Offsets;
use rdkafka::consumer::{CommitMode, Consumer};
use testkit::{TestKafka, rule, with_kafka};

use super::at_hand::{
    SIX_MS, commit, committed, consumer, list, member, next, nobody, outsider, put,
};

/// So many turns of a group at work. Whoever asks in the wrong order is caught in the first few of them.
const TURNS: i64 = 200;

fn partition(first: i64, end: i64, committed: Option<i64>) -> PartitionLag {
    PartitionLag { partition: 0, first, end, committed }
}

#[test]
fn the_lag_is_the_end_less_the_committed_offset() {
    for (first, end, committed, expected) in [(0, 6, 4, 2), (2, 5, 5, 0), (0, 6, 0, 6)] {
        rule("The lag is the log end offset less the committed offset.")
            .picture(format!("log [{first}, {end}), committed {committed}"))
            .ask("Both are offsets of a record that is still to come. Which one is read next, and is it in the lag?")
            .same(partition(first, end, Some(committed)).lag(), expected);
    }
}

#[test]
fn without_a_commit_the_lag_is_all_that_the_log_holds() {
    for (first, end, expected) in [(0, 6, 6), (2, 5, 3), (5, 5, 0), (0, 0, 0)] {
        rule("A group that has not committed has everything before it that the log holds.")
            .picture(format!("log [{first}, {end}), no commit"))
            .ask("Where would this group begin? Not everywhere is that 0, and nowhere is it the end.")
            .same(partition(first, end, None).lag(), expected);
    }
}

#[test]
fn a_lag_below_zero_is_shown_as_it_is() {
    rule("A commit behind the end of the log is no mistake of counting, and is not hidden.")
        .picture("log [0, 3), committed 40: the topic was deleted and made anew")
        .ask("A lag of 0 says that all is read. Is it?")
        .same(partition(0, 3, Some(40)).lag(), -37);
}

#[test]
fn given_what_was_deleted_unread_is_counted() {
    for (committed, expected) in [(Some(1), 3), (Some(4), 0), (Some(6), 0), (None, 0)] {
        rule("What was deleted before the group read it is gone.")
            .picture(format!("log [4, 9), committed {committed:?}"))
            .same(partition(4, 9, committed).gone(), expected);
    }
}

/// Three partitions with 5, 6 and no records, of which the first two of partition 0 are deleted.
async fn topic_of_three(kafka: &TestKafka) -> String {
    let topic = kafka.create_topic("flights", 3).await;
    put(kafka, &topic, 0, &[SIX_MS; 5]).await;
    put(kafka, &topic, 1, &[SIX_MS; 6]).await;
    kafka.delete_before(&topic, 0, 2).await;
    topic
}

/// A group's lag as lines: `0: [2, 5) committed 3, lag 2`.
fn lines(lags: &[PartitionLag]) -> String {
    let line = |lag: &PartitionLag| {
        let committed = lag.committed.map_or("none".to_owned(), |offset| offset.to_string());
        format!("{}: [{}, {}) committed {committed}", lag.partition, lag.first, lag.end)
    };
    lags.iter().map(line).collect::<Vec<String>>().join("; ")
}

#[test]
fn every_partition_is_listed_with_what_the_group_committed() {
    with_kafka(async |kafka| {
        let topic = topic_of_three(kafka).await;
        let group = kafka.group("g");
        commit(kafka, &topic, &group, &[(1, 4)]);
        let lags = group_lag(&outsider(kafka, &topic, &group));
        let lags = rule("A group's lag can be asked for.").succeeds(lags);
        rule("Every partition is listed, also one that is empty, also one without a commit.")
            .picture("partition  log      committed\n0          [2, 5)   none\n1          [0, 6)   4\n2          empty    none")
            .ask("What does the broker answer for a partition of which the group has committed nothing?")
            .same_bytes(
                lines(&lags),
                "0: [2, 5) committed none; 1: [0, 6) committed 4; 2: [0, 0) committed none",
            );
    });
}

#[test]
fn the_lag_is_that_of_the_commits_and_not_of_the_position() {
    with_kafka(async |kafka| {
        let topic = kafka.create_topic("flights", 1).await;
        put(kafka, &topic, 0, &[SIX_MS; 6]).await;
        let group = kafka.group("g");
        let reader = member(kafka, &topic, &group).await;
        // The member polls three records, commits nothing, and polls no more.
        let polled: Vec<String> = (0..2).map(|_| next(&reader)).collect();
        assert!(!polled.is_empty());
        let lags = group_lag(&outsider(kafka, &topic, &group));
        let lags = rule("To look is allowed while a member lives.").succeeds(lags);
        rule("What is polled and not committed is still before the group.")
            .picture("log [0, 6); a member has polled some records and committed nothing")
            .ask("The position lives in the member's memory. Who else can know it?")
            .same_bytes(lines(&lags), "0: [0, 6) committed none");
    });
}

#[test]
fn a_lag_asked_for_while_the_group_is_at_work_is_never_too_small() {
    with_kafka(async |kafka| {
        let topic = kafka.create_topic("flights", 1).await;
        let group = kafka.group("g");
        let (observer, worker) = (outsider(kafka, &topic, &group), consumer(kafka, &group, &[]));
        let lag =
            || rule("A group's lag can be asked for.").succeeds(group_lag(&observer))[0].lag();
        rule("Nothing is written, so nothing lies before the group.").same(lag(), 0);
        // Each turn writes a record and commits the place behind it.
        let turn = |next| {
            block_on(put(kafka, &topic, 0, &[SIX_MS]));
            let offsets = list(&topic, &Offsets::from([(0, next)]));
            worker.commit(&offsets, CommitMode::Sync).expect("the broker takes the commit");
        };
        let smallest = thread::scope(|scope| {
            let work = scope.spawn(|| (1..=TURNS).for_each(turn));
            let mut smallest = 0;
            while !work.is_finished() && smallest >= 0 {
                smallest = lag().min(smallest);
            }
            smallest
        });
        rule("A lag that is asked for while the group is at work is never smaller than it was.")
            .picture("a group writes a record, commits behind it, and so on: its lag is 0 or 1")
            .ask("Between your two questions a record was written and committed. Which of the answers is the newer one?")
            .holds(smallest >= 0, "a lag below 0: a commit behind the end of the log");
    });
}

#[test]
fn to_look_changes_nothing() {
    with_kafka(async |kafka| {
        let topic = topic_of_three(kafka).await;
        let group = kafka.group("g");
        let outsider = outsider(kafka, &topic, &group);
        commit(kafka, &topic, &group, &[(1, 4)]);
        for _ in 0..2 {
            let lags = group_lag(&outsider);
            rule("A group's lag can be asked for.").succeeds(lags);
        }
        rule("To look commits nothing.")
            .ask("A consumer that is closed may commit. Which setting says so?")
            .same(committed(kafka, &topic, &group, 3), [(1, 4)].into());
    });
}

#[test]
fn a_topic_that_is_not_there_is_named() {
    with_kafka(async |kafka| {
        let topic = kafka.topic("flights");
        let lags = group_lag(&outsider(kafka, &topic, &kafka.group("g")));
        rule("A topic that is not there is an error, and not a group without a lag.").refuses(
            lags,
            "NoTopic",
            |error| matches!(error, BrokerError::NoTopic { topic: name } if *name == topic),
        );
    });
}

#[test]
fn a_broker_that_is_not_there_is_an_error() {
    rule("A broker that is not there is an error that names it.").refuses(
        group_lag(&nobody()),
        "NoAnswer from 127.0.0.1:1",
        |error| matches!(error, BrokerError::NoAnswer { brokers, .. } if brokers == "127.0.0.1:1"),
    );
}
