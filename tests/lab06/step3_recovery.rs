//! Step 3: where to go on, and when not to.
//!
//! Invariants:
//! 1. The offsets are the checkpoint's. Partitions that were added are read from their first record.
//! 2. A damaged checkpoint is named, with the good one before it. Nobody takes that one unasked.
//! 3. A topic that does not hold what was read is refused, also where the offsets fit.

use std::collections::BTreeMap;

use lab03::broker::{Bounds, Outsider};
use lab06::checkpoint::{FormatError, JobState, encode, restore, take};
use lab06::last_record::fingerprints;
use lab06::recovery::{RecoveryError, Which, check_records, load, start_offsets};
use lab06::state::{Checkpoint, Fingerprint};
use lab06::store::ensure_tables;
use lab06::turn::{Input, Record};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use testkit::{TestDatabase, TestKafka, rule, with_database, with_kafka};
use tokio_postgres::Client;

use super::at_hand::{
    TOPIC, board, eventful_checkpoint, fingerprint, go_through, read_to, record, refuses_naming,
};
use super::at_hand_job::{make_topic, put};

/// Partition, first offset, end.
fn bounds(all: &[(i32, i64, i64)]) -> BTreeMap<i32, Bounds> {
    all.iter()
        .map(|(partition, first, end)| (*partition, Bounds { first: *first, end: *end }))
        .collect()
}

/// Partition 0 was read to 104, partition 1 to 4, of partition 2 nothing.
fn offsets_on(all: &[(i32, i64, i64)]) -> Result<BTreeMap<i32, i64>, RecoveryError> {
    start_offsets(&eventful_checkpoint(), TOPIC, &bounds(all))
}

fn is_other_records(error: &RecoveryError, of: i32) -> bool {
    matches!(error, RecoveryError::OtherRecords { topic, partition, .. }
        if topic == TOPIC && *partition == of)
}

const READ: &str = "checkpoint: partition 0 to be read from 104, 1 from 4, 2 from 0";

#[test]
fn each_partition_is_read_on_where_the_checkpoint_stands() {
    for all in [
        [(0, 100, 200), (1, 0, 50), (2, 0, 0)],
        // Nothing new, and nothing left of what was read.
        [(0, 104, 104), (1, 4, 4), (2, 0, 0)],
    ] {
        let offsets = rule(
            "A topic that holds more than was read, or just that, can be gone on with.",
        )
        .picture(format!("{READ}\ntopic, as partition, first, end: {all:?}"))
        .ask(
            "A partition that was read to its end has no record at `next_offset`. Is that a fault?",
        )
        .succeeds(offsets_on(&all));
        rule("Each partition is read on at the checkpoint's offset.")
            .same(offsets, [(0, 104), (1, 4), (2, 0)].into());
    }
}

#[test]
fn partitions_that_were_added_are_read_from_their_first_record() {
    let offsets = offsets_on(&[(0, 100, 200), (1, 0, 50), (2, 0, 0), (3, 0, 9), (4, 30, 40)]);
    let offsets = rule("A topic may have got more partitions.").succeeds(offsets);
    rule("A partition that the checkpoint does not know is read from its first record on.")
        .picture(format!("{READ}\ntopic: partitions 3 (0 to 9) and 4 (30 to 40) were added"))
        .ask("Nobody has read them. Where do they begin, and is that always 0?")
        .same(offsets, [(0, 104), (1, 4), (2, 0), (3, 0), (4, 30)].into());
}

#[test]
fn another_topic_is_refused() {
    let all = bounds(&[(0, 100, 200), (1, 0, 50), (2, 0, 0)]);
    rule("Offsets of one topic mean nothing on another, however well they fit.")
        .ask("What does the checkpoint know of the topic, beside its offsets?")
        .refuses(start_offsets(&eventful_checkpoint(), "trains", &all), "OtherTopic", |error| {
            error.to_string()
                == "the checkpoint is of topic `flights`, and its offsets mean nothing on `trains`"
        });
}

#[test]
fn a_topic_that_does_not_hold_what_was_read_is_refused() {
    let made_anew = |all: &[(i32, i64, i64)], partition: i32, offsets: &[&str]| {
        let the_rule =
            rule("A topic that does not hold what was read is another one: it was made anew.")
                .picture(format!("{READ}\ntopic, as partition, first, end: {all:?}"))
                .ask("Where would the job go on, and what of the new topic would it never read?");
        let expected = format!("OtherRecords of partition {partition}");
        let is_it = |error: &RecoveryError| is_other_records(error, partition);
        refuses_naming(the_rule, offsets_on(all), &expected, is_it, offsets);
    };
    made_anew(&[(0, 100, 200), (2, 0, 0)], 1, &[]);
    made_anew(&[(0, 0, 103), (1, 0, 50), (2, 0, 0)], 0, &["103", "104"]);
    made_anew(&[(0, 0, 104), (1, 0, 0), (2, 0, 0)], 1, &["0", "4"]);
}

#[test]
fn records_that_are_gone_unread_are_named() {
    rule("Where records are gone that were never read, the job does not jump over them.")
        .picture(format!("{READ}\ntopic: the first record of partition 1 is at offset 5"))
        .ask("Retention has taken offset 4. Who should decide that it does not matter?")
        .refuses(offsets_on(&[(0, 100, 200), (1, 5, 50), (2, 0, 0)]), "Gone", |error| {
            error.to_string()
                == "topic `flights`, partition 1: the next record is at offset 4, but the first \
                    that is still there is at 5"
        });
}

/// The last records of [`eventful_checkpoint`], as they lie on the topic.
fn last_records() -> BTreeMap<i32, Fingerprint> {
    let partitions = eventful_checkpoint().partitions;
    partitions.iter().filter_map(|saved| Some((saved.partition, saved.last_record?))).collect()
}

#[test]
fn the_same_last_records_are_the_same_topic() {
    let all = last_records();
    let checked = check_records(&eventful_checkpoint(), &all);
    rule("Where the last records are what they were, the topic is the one that was read.")
        .succeeds(checked);
    let some = BTreeMap::from([(1, all[&1])]);
    rule("A record that retention has taken says nothing.")
        .picture("the last record of partition 0 is no longer there")
        .succeeds(check_records(&eventful_checkpoint(), &some));
}

#[test]
fn another_record_at_the_same_place_is_another_topic() {
    for (what, change) in [
        ("another time", (|it: &mut Fingerprint| it.timestamp_ms += 1) as fn(&mut Fingerprint)),
        ("another payload", |it| it.payload_crc32 ^= 1),
        ("no record at the place, and this one behind it", |it| it.offset += 1),
    ] {
        for partition in [0, 1] {
            let mut found = last_records();
            change(found.get_mut(&partition).expect("it is there"));
            rule("Another record at the place of the last one: the topic was made anew, though its offsets fit.")
                .picture(format!("partition {partition}: {what}"))
                .ask("A replay of last year's week has last year's times. Is one of the three signs enough?")
                .refuses(
                    check_records(&eventful_checkpoint(), &found),
                    "OtherRecords",
                    |error| is_other_records(error, partition),
                );
        }
    }
    let mut found = last_records();
    found.insert(1, fingerprint(&record(1, 3, "JFK", "06:51", 40)));
    refuses_naming(
        rule("The sentence names both records: the one that is there, and the one that was read.")
            .ask("`Fingerprint::text` tells a record in words. Which two are told?"),
        check_records(&eventful_checkpoint(), &found),
        "OtherRecords of partition 1",
        |error| is_other_records(error, 1),
        &[&found[&1].text(), &last_records()[&1].text()],
    );
}

/// A connection to a database in which job `board` has no checkpoint yet.
async fn empty(database: &TestDatabase) -> Client {
    let client = database.connect().await;
    ensure_tables(&client).await.expect("the tables can be made");
    let none = load(&client, "board", Which::Latest).await;
    let none = rule("A job without a checkpoint begins anew.").succeeds(none);
    rule("A job without a checkpoint has none.").same(none, None);
    let asked_for = load(&client, "board", Which::Id(1)).await;
    rule("A checkpoint that is asked for and is not there is refused by its number.")
        .ask("Whoever names a checkpoint wants to go on from it. Where would `None` begin?")
        .refuses(asked_for, "NoSuchCheckpoint", |error| {
            matches!(error, RecoveryError::NoSuchCheckpoint { id: 1, .. })
        });
    client
}

/// Stores bytes as a checkpoint, whatever they are.
async fn store(client: &Client, job: &str, id: i64, bytes: &[u8]) {
    let insert = "INSERT INTO checkpoints (job, id, body) VALUES ($1, $2, $3)";
    client.execute(insert, &[&job, &id, &bytes]).await.expect("the row can be written");
}

fn good(id: u64) -> Vec<u8> {
    encode(&read_to(id, TOPIC, 10 * id as i64))
}

fn damaged(id: u64) -> Vec<u8> {
    let mut bytes = good(id);
    bytes.truncate(bytes.len() - 5);
    bytes
}

#[test]
fn the_newest_checkpoint_of_the_job_is_loaded() {
    with_database(async |database| {
        let client = empty(database).await;
        for id in [9, 10, 11] {
            store(&client, "board", id, &good(id as u64)).await;
        }
        store(&client, "other", 12, &good(12)).await;
        let loaded = load(&client, "board", Which::Latest).await;
        let loaded = rule("A good checkpoint can be loaded.").succeeds(loaded);
        rule("The newest is the one with the largest number, of this very job.")
            .picture("board: 9, 10, 11 · other: 12")
            .same(loaded.map(|checkpoint| checkpoint.id), Some(11));
        let loaded = load(&client, "board", Which::Id(10)).await;
        let loaded = rule("An older checkpoint can be asked for.").succeeds(loaded);
        rule("Who asks for checkpoint 10 gets it.")
            .same(loaded.map(|checkpoint| checkpoint.id), Some(10));
        rule("A checkpoint that is not there is named.").refuses(
            load(&client, "board", Which::Id(12)).await,
            "NoSuchCheckpoint",
            |error| error.to_string() == "job `board` has no checkpoint 12",
        );
    });
}

#[test]
fn a_damaged_checkpoint_is_named_with_the_good_one_before_it() {
    with_database(async |database| {
        let client = empty(database).await;
        store(&client, "board", 8, &good(8)).await;
        store(&client, "board", 9, &good(9)).await;
        store(&client, "board", 10, &damaged(10)).await;
        store(&client, "board", 11, &damaged(11)).await;
        rule("A damaged checkpoint is never passed over in silence; the newest good one before it is named.")
            .picture("board: 8 good, 9 good, 10 damaged, 11 damaged")
            .ask("What was given out since checkpoint 9 would be given out again. Who may decide that?")
            .refuses(load(&client, "board", Which::Latest).await, "Unreadable, 9 before it is good", |error| {
                matches!(
                    error,
                    RecoveryError::Unreadable {
                        id: 11,
                        reason: FormatError::OtherLength { .. },
                        previous_good: Some(9),
                        ..
                    }
                )
            });
        let asked = load(&client, "board", Which::Id(9)).await;
        let asked = rule("Who has decided can ask for it.").succeeds(asked);
        rule("Who has decided can ask for it.").same(asked.map(|it| it.id), Some(9));
        rule("The good one is looked for before the one that was asked for.").refuses(
            load(&client, "board", Which::Id(10)).await,
            "Unreadable, 9 before it is good",
            |error| {
                matches!(error, RecoveryError::Unreadable { id: 10, previous_good: Some(9), .. })
            },
        );
    });
}

#[test]
fn where_no_good_checkpoint_is_left_the_sentence_says_so() {
    with_database(async |database| {
        let client = empty(database).await;
        store(&client, "board", 10, b"").await;
        store(&client, "board", 11, b"<html>").await;
        rule("Where no good checkpoint is left, the sentence says so, and what the newest one is.")
            .refuses(
                load(&client, "board", Which::Latest).await,
                "Unreadable, with no good one before it",
                |error| {
                    error.to_string()
                        == "checkpoint 11 of job `board`: no checkpoint: expected it to begin with \
                        `tidemark-checkpoint`, found `<html>`; there is no good one before it"
                },
            );
    });
}

/// What a start from this checkpoint finds on the real topic.
async fn start_on(
    kafka: &TestKafka,
    topic: &str,
    checkpoint: &Checkpoint,
) -> Result<BTreeMap<i32, i64>, RecoveryError> {
    let outsider = Outsider::new(&kafka.client(), topic, "nobody").expect("the settings are good");
    let offsets = start_offsets(checkpoint, topic, &outsider.bounds().expect("it answers"))?;
    let last = checkpoint
        .partitions
        .iter()
        .filter_map(|saved| saved.last_record.map(|last| (saved.partition, last.offset)));
    let found = fingerprints(&kafka.client(), topic, &last.collect()).await;
    check_records(checkpoint, &found.expect("the record is there"))?;
    Ok(offsets)
}

fn minute(offset: i64) -> Record {
    record(0, offset, "EWR", &format!("06:{offset:02}"), 0)
}

#[test]
fn a_topic_made_anew_is_found_out_with_fewer_with_equal_and_with_more_records() {
    with_kafka(async |kafka| {
        let topic = kafka.topic("flights");
        make_topic(kafka, &topic).await;
        let read: Vec<Record> = (0..6).map(minute).collect();
        put(kafka, &topic, &read).await;
        let mut checkpoint = read_to(3, &topic, 5);
        checkpoint.partitions[0].last_record = Some(fingerprint(&read[4]));
        let offsets = start_on(kafka, &topic, &checkpoint).await;
        let offsets = rule("The very topic that was read can be gone on with.").succeeds(offsets);
        rule("It is read on behind what was read.").same(offsets, [(0, 5)].into());
        for (what, records) in [("fewer", 4), ("as many", 5), ("more", 9)] {
            kafka.delete(&topic).await;
            make_topic(kafka, &topic).await;
            let anew: Vec<Record> = (0..records).map(|offset| minute(offset + 30)).collect();
            put(kafka, &topic, &anew).await;
            rule("A topic made anew is refused, whether its offsets fit or not.")
                .picture(format!("5 records were read; the topic was made anew with {what}: {records}"))
                .ask("Its first records would never be read. What of the old topic does the checkpoint still know?")
                .refuses(start_on(kafka, &topic, &checkpoint).await, "OtherRecords", |error| {
                    matches!(error, RecoveryError::OtherRecords { partition: 0, .. })
                });
        }
    });
}

/// Commits an offset for the group of a display of lag.
fn commit(kafka: &TestKafka, topic: &str, group: &str, offset: i64) {
    let mut settings = kafka.client();
    settings.set("group.id", group).set("enable.auto.commit", "false");
    let consumer: BaseConsumer = settings.create().expect("the settings are good");
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, 0, Offset::Offset(offset)).expect("it is an offset");
    consumer.commit(&list, CommitMode::Sync).expect("the broker takes the commit");
}

#[test]
fn those_who_trust_the_groups_offsets_lose_or_repeat() {
    const RECORDS: i64 = 20;
    with_kafka(async |kafka| {
        let topic = kafka.create_topic("flights", 1).await;
        let group = kafka.group("lag");
        let outsider = Outsider::new(&kafka.client(), &topic, &group).expect("good settings");
        let records: Vec<Record> = (0..RECORDS).map(minute).collect();
        put(kafka, &topic, &records).await;
        let held = outsider.bounds().expect("the broker answers");
        let at_first = start_offsets(&read_to(1, &topic, 0), &topic, &held);
        rule("A checkpoint of nothing fits every topic of its name.").succeeds(at_first);

        let inputs: Vec<Input> = records.into_iter().map(Input::Record).collect();
        let mut state = JobState::begin(&[(0, 0)].into(), &board()).expect("an hour");
        go_through(&mut state, &inputs[..12]);
        let checkpoint = take(&state, 1, &topic);
        // The job counts on from the checkpoint, with the records that it is given from there.
        let counted_from = |offset: i64| {
            let mut state = restore(&checkpoint, &board()).expect("it is of this board");
            go_through(&mut state, &inputs[offset as usize..]);
            state.board.counts().read as i64
        };
        let mut table = format!(
            "{RECORDS} records, the last checkpoint behind 12 of them, then a crash\n  \
             offsets of                  lost   repeated"
        );
        for (what, committed, expected) in
            [("the group, ahead", 16, -4), ("the group, behind", 8, 4)]
        {
            commit(kafka, &topic, &group, committed);
            let offset = outsider.committed().expect("the broker answers")[&0];
            let error = counted_from(offset) - RECORDS;
            table += &format!("\n  {what:<25} {:>6} {:>10}", (-error).max(0), error.max(0));
            rule(
                "The group's offsets were committed before or after the checkpoint, never with it.",
            )
            .same(error, expected);
        }
        let offsets = start_offsets(&checkpoint, &topic, &held);
        let offsets = rule("The topic can be gone on with.").succeeds(offsets);
        let error = counted_from(offsets[&0]) - RECORDS;
        table +=
            &format!("\n  {:<25} {:>6} {:>10}", "the checkpoint", (-error).max(0), error.max(0));
        rule("The checkpoint's own offsets lose nothing and repeat nothing.")
            .picture(table.clone())
            .ask("The group is ahead now, by four records. Has anybody their results?")
            .same(error, 0);
        println!("{table}");
    });
}

#[test]
fn a_newer_checkpoint_is_none_to_go_back_to() {
    with_database(async |database| {
        let client = empty(database).await;
        for (id, bytes) in [(9, good(9)), (10, damaged(10)), (11, good(11))] {
            store(&client, "board", id, &bytes).await;
        }
        rule("The good one that is named is one before the damaged one, also where a newer one is good.")
            .picture("board: 9 good, 10 damaged, 11 good; 10 is asked for")
            .ask("Who asks for 10 wants to go back behind 11. Which numbers come into question?")
            .refuses(
                load(&client, "board", Which::Id(10)).await,
                "Unreadable, 9 before it is good",
                |error| {
                    matches!(error, RecoveryError::Unreadable { id: 10, previous_good: Some(9), .. })
                },
            );
    });
}
