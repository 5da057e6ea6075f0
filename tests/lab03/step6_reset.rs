//! Step 6: set a group's offsets anew.
//!
//! Invariants:
//! 1. Behind a reset, a new member reads from exactly there.
//! 2. A group in use is not reset: neither its offsets nor its members notice the attempt.
//! 3. What is refused has changed nothing.

use std::time::Duration;

use lab03::progress::Offsets;
use lab03::reset::{ResetError, reset};
use lab03::start::{Start, StartError};
use rdkafka::consumer::Consumer;
use testkit::{rule, until, with_kafka};

use super::at_hand::{BOUND, FIVE_MIN_MS, SIX_MS, commit, committed, member, next, outsider, put};

#[test]
fn a_group_without_members_is_set_to_where_it_was_told() {
    with_kafka(async |kafka| {
        let topic = kafka.create_topic("flights", 2).await;
        let times: Vec<i64> = (0..6).map(|i| SIX_MS + i * FIVE_MIN_MS).collect();
        put(kafka, &topic, 0, &times).await;
        let group = kafka.group("g");
        let outsider = outsider(kafka, &topic, &group);
        commit(kafka, &topic, &group, &[(0, 4)]);
        for (start, at, expected) in [
            (Start::Earliest, "earliest", [(0, 0), (1, 0)]),
            (Start::Latest, "latest", [(0, 6), (1, 0)]),
            (Start::Time(SIX_MS + FIVE_MIN_MS), "06:05", [(0, 1), (1, 0)]),
            (Start::Offset(3), "offset 3", [(0, 3), (1, 0)]),
            (Start::Committed, "committed", [(0, 3), (1, 0)]),
        ] {
            let expected = Offsets::from(expected);
            let answer = reset(&outsider, start);
            let answer = rule("A group without members can be reset.").succeeds(answer);
            rule("A reset gives the offset of each partition.")
                .picture(format!("partition 0: [0, 6), one record in five minutes from 06:00 on\npartition 1: empty\nreset to {at}"))
                .same(answer, expected.clone());
            rule("The broker has what the reset gave.")
                .picture(format!("reset to {at}"))
                .ask("Which consumer may commit for a group, and has the broker answered?")
                .same(committed(kafka, &topic, &group, 2), expected);
        }
    });
}

#[test]
fn a_new_member_reads_from_there() {
    with_kafka(async |kafka| {
        let topic = kafka.create_topic("flights", 1).await;
        put(kafka, &topic, 0, &[SIX_MS; 6]).await;
        let group = kafka.group("g");
        let answer = reset(&outsider(kafka, &topic, &group), Start::Offset(4));
        rule("A group that nobody has used can be reset.").succeeds(answer);
        let settings = [("auto.offset.reset", "earliest"), ("session.timeout.ms", "6000")];
        let reader = super::at_hand::consumer(kafka, &group, &settings);
        reader.subscribe(&[&topic]).expect("the topic can be subscribed to");
        rule("A member that comes behind a reset reads from exactly there.")
            .picture("log [0, 6), reset to offset 4")
            .same_bytes(next(&reader), "0@4");
    });
}

#[test]
fn a_group_in_use_is_not_reset() {
    with_kafka(async |kafka| {
        let topic = kafka.create_topic("flights", 1).await;
        put(kafka, &topic, 0, &[SIX_MS; 6]).await;
        let group = kafka.group("g");
        commit(kafka, &topic, &group, &[(0, 4)]);
        let living = member(kafka, &topic, &group).await;
        // It polls on another thread, as a member at work does.
        let working = Working::start(living);
        let answer = reset(&outsider(kafka, &topic, &group), Start::Earliest);
        let undisturbed = working.stop();
        rule("A group in use is not reset.")
            .picture("committed 4 · a member lives, and goes on from its own position · reset to earliest")
            .ask("What would the member's next commit do to the reset? Who knows whether a member lives?")
            .refuses(answer, "InUse", |error| matches!(error, ResetError::InUse { group: name } if *name == group));
        rule("A refused reset has changed nothing.")
            .same(committed(kafka, &topic, &group, 1), Offsets::from([(0, 4)]));
        rule("The member has not noticed: its partitions stayed its own.")
            .ask("Who joins a group makes it share its work anew. Must one join it to commit?")
            .holds(undisturbed, "the group has shared its partitions anew");
    });
}

/// A member at work on a thread of its own.
struct Working {
    stop: std::sync::mpsc::Sender<()>,
    thread: std::thread::JoinHandle<bool>,
}

impl Working {
    fn start(member: rdkafka::consumer::BaseConsumer) -> Working {
        let (stop, stopped) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let mut undisturbed = true;
            while stopped.try_recv().is_err() {
                let _ = member.poll(Duration::from_millis(10));
                undisturbed &= member.assignment().is_ok_and(|assignment| assignment.count() == 1);
            }
            undisturbed
        });
        Working { stop, thread }
    }

    /// Whether the member had its partition at every look.
    fn stop(self) -> bool {
        let _ = self.stop.send(());
        self.thread.join().expect("the member does not panic")
    }
}

#[test]
fn when_the_last_member_has_left_the_group_can_be_reset() {
    with_kafka(async |kafka| {
        let topic = kafka.create_topic("flights", 1).await;
        put(kafka, &topic, 0, &[SIX_MS; 6]).await;
        let group = kafka.group("g");
        drop(member(kafka, &topic, &group).await);
        let offsets = until(BOUND, "a group that its last member has left", async || {
            reset(&outsider(kafka, &topic, &group), Start::Offset(2))
                .map_err(|error| error.to_string())
        })
        .await;
        rule("A group that all members have left can be reset.")
            .same(offsets, Offsets::from([(0, 2)]));
    });
}

#[test]
fn an_offset_that_is_not_there_is_refused_and_nothing_is_changed() {
    with_kafka(async |kafka| {
        let topic = kafka.create_topic("flights", 2).await;
        put(kafka, &topic, 0, &[SIX_MS; 6]).await;
        put(kafka, &topic, 1, &[SIX_MS; 2]).await;
        let group = kafka.group("g");
        commit(kafka, &topic, &group, &[(0, 4), (1, 1)]);
        rule("A reset to an offset that is not in every partition is refused.")
            .picture("partition 0: [0, 6) · partition 1: [0, 2) · reset to offset 5")
            .refuses(
                reset(&outsider(kafka, &topic, &group), Start::Offset(5)),
                "OutOfRange, partition 1, offset 5",
                |error| {
                    matches!(
                        error,
                        ResetError::Start(StartError::OutOfRange { partition: 1, offset: 5, .. })
                    )
                },
            );
        rule("A refused reset has changed nothing, in no partition.")
            .same(committed(kafka, &topic, &group, 2), Offsets::from([(0, 4), (1, 1)]));
    });
}
