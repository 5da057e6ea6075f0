//! Step 3: where to begin.
//!
//! Invariants:
//! 1. A start is resolved to a number for each partition, once. What is written from then on is
//!    read, whenever the first poll comes.
//! 2. A time is that of the first record, in the order of the log, at or after it; where there is
//!    none, it is the end.
//! 3. An offset that is not there is refused. Nothing is skipped without a word.
//! 4. A group without a commit begins at the oldest record that is there.

use std::time::Instant;

use lab03::broker::BrokerError;
use lab03::progress::Offsets;
use lab03::start::{Start, StartError, resolve};
use rdkafka::consumer::Consumer;
use testkit::{TestKafka, rule, with_kafka};

use super::at_hand::{
    BOUND, FIVE_MIN_MS, SIX_MS, commit, consumer, list, next, nobody, outsider, put,
};

#[test]
fn a_start_is_read_from_its_text() {
    for (text, start) in [
        ("earliest", Start::Earliest),
        ("latest", Start::Latest),
        ("committed", Start::Committed),
        ("offset:42", Start::Offset(42)),
        ("offset:0", Start::Offset(0)),
        ("2013-02-18T06:00:00Z", Start::Time(SIX_MS)),
    ] {
        rule("A start has one of five forms.").picture(text).same(text.parse(), Ok(start));
    }
}

#[test]
fn any_other_text_is_refused_with_what_there_is() {
    for text in
        ["", "Latest", "offset:", "offset:-1", "offset:4 2", "42", "2013-02-18", "yesterday"]
    {
        let expected = format!(
            "expected `earliest`, `latest`, `committed`, `offset:42` or a UTC time such as \
             `2013-02-18T06:00:00Z`, found `{text}`"
        );
        let got = text
            .parse::<Start>()
            .map_or_else(|error| error.to_string(), |start| format!("{start:?}"));
        rule("A text that is no start is refused, in one sentence that says which there are.")
            .picture(format!("`{text}`"))
            .ask("In Kafka's protocol, -1 is the end and -2 the beginning. What does a person mean by offset -1?")
            .same_bytes(got, expected);
    }
}

/// Where each partition begins, as a line: `0@3 1@7`.
fn line(resolved: Result<Offsets, StartError>) -> String {
    match resolved {
        Ok(offsets) => {
            let places = offsets.iter().map(|(partition, offset)| format!("{partition}@{offset}"));
            places.collect::<Vec<String>>().join(" ")
        }
        Err(error) => error.to_string(),
    }
}

/// A topic of three partitions: 0 has the offsets 2 to 4, 1 has 0 to 5, 2 is empty. The records
/// of a partition are five minutes apart, the first of all is of six o'clock.
async fn topic_of_three(kafka: &TestKafka) -> String {
    let topic = kafka.create_topic("flights", 3).await;
    let times = |count: i64| (0..count).map(|i| SIX_MS + i * FIVE_MIN_MS).collect::<Vec<i64>>();
    put(kafka, &topic, 0, &times(5)).await;
    put(kafka, &topic, 1, &times(6)).await;
    kafka.delete_before(&topic, 0, 2).await;
    topic
}

const PICTURE: &str = "partition  records           end\n\
                       0          2 3 4             5     0 and 1 were deleted\n\
                       1          0 1 2 3 4 5       6\n\
                       2          none              0";

#[test]
fn earliest_is_the_oldest_record_that_is_still_there() {
    with_kafka(async |kafka| {
        let topic = topic_of_three(kafka).await;
        let resolved = resolve(&outsider(kafka, &topic, &kafka.group("g")), Start::Earliest);
        rule("Earliest is the oldest record that is still there, in each partition.")
            .picture(PICTURE)
            .ask("Who says that a log begins at 0?")
            .same_bytes(line(resolved), "0@2 1@0 2@0");
    });
}

#[test]
fn latest_is_the_end_as_it_is_now() {
    with_kafka(async |kafka| {
        let topic = topic_of_three(kafka).await;
        let resolved = resolve(&outsider(kafka, &topic, &kafka.group("g")), Start::Latest);
        rule("Latest is the offset of the next record to come, a number for each partition.")
            .picture(PICTURE)
            .ask("\"The end\" is a word. When does it become a number, and who waits until then?")
            .same_bytes(line(resolved), "0@5 1@6 2@0");
    });
}

#[test]
fn what_is_written_between_the_start_and_the_first_poll_is_read() {
    with_kafka(async |kafka| {
        let topic = kafka.create_topic("flights", 1).await;
        put(kafka, &topic, 0, &[SIX_MS, SIX_MS]).await;
        let group = kafka.group("g");
        let resolved = resolve(&outsider(kafka, &topic, &group), Start::Latest);
        let start = rule("Latest can be resolved.").succeeds(resolved);
        put(kafka, &topic, 0, &[SIX_MS, SIX_MS, SIX_MS]).await;

        let reader = consumer(kafka, &group, &[]);
        reader.assign(&list(&topic, &start)).expect("the start can be assigned");
        // One more record, so that a reader that begins at the end has something to read too.
        let reads_first = read_first_while_writing(kafka, &topic, &reader).await;
        rule("What is written between the start and the first poll is read.")
            .picture(
                "offsets   0 1   2 3 4\n             ^       ^\n         start       first poll",
            )
            .ask("Was the end asked for when the start was resolved, or when the first poll came?")
            .same_bytes(reads_first, "0@2");
    });
}

/// The first record that a reader gives out, while records are written until it gives one out.
async fn read_first_while_writing(
    kafka: &TestKafka,
    topic: &str,
    reader: &rdkafka::consumer::BaseConsumer,
) -> String {
    use rdkafka::Message;

    let deadline = Instant::now() + BOUND;
    loop {
        if let Some(record) = reader.poll(std::time::Duration::from_millis(50)) {
            let record = record.expect("the record can be read");
            let written_later = record.offset() > 4;
            let place = format!("{}@{}", record.partition(), record.offset());
            return if written_later {
                "a record written after the first poll".to_owned()
            } else {
                place
            };
        }
        assert!(Instant::now() < deadline, "no record within {BOUND:?}");
        put(kafka, topic, 0, &[SIX_MS]).await;
    }
}

#[test]
fn a_time_is_that_of_the_first_record_at_or_after_it() {
    with_kafka(async |kafka| {
        let topic = topic_of_three(kafka).await;
        let group = kafka.group("g");
        let outsider = outsider(kafka, &topic, &group);
        for (time_ms, at, expected) in [
            (SIX_MS + 3 * FIVE_MIN_MS, "06:15:00", "0@3 1@3 2@0"),
            (SIX_MS + 3 * FIVE_MIN_MS - 1, "06:14:59.999", "0@3 1@3 2@0"),
            (SIX_MS + 3 * FIVE_MIN_MS + 1, "06:15:00.001", "0@4 1@4 2@0"),
            (SIX_MS - 1, "05:59:59.999", "0@2 1@0 2@0"),
        ] {
            let resolved = resolve(&outsider, Start::Time(time_ms));
            rule("A time begins at the first record whose timestamp is this one or later.")
                .picture(format!(
                    "offset     0      1      2      3      4      5\n\
                     timestamp  06:00  06:05  06:10  06:15  06:20  06:25\n\
                     0 and 1 were deleted from partition 0, which ends at 5; partition 2 is empty; start at {at}"
                ))
                .ask("Where does a partition begin in which no record is so late, and one without any?")
                .same_bytes(line(resolved), expected);
        }
    });
}

#[test]
fn a_time_past_the_end_is_the_end() {
    with_kafka(async |kafka| {
        let topic = topic_of_three(kafka).await;
        let group = kafka.group("g");
        let outsider = outsider(kafka, &topic, &group);
        for time_ms in [SIX_MS + 5 * FIVE_MIN_MS, 4_000_000_000_000] {
            let expected = if time_ms < 2_000_000_000_000 { "0@5 1@5 2@0" } else { "0@5 1@6 2@0" };
            let resolved = resolve(&outsider, Start::Time(time_ms));
            rule("Where no record is that late, a time is the end, as a number.")
                .picture(format!("{PICTURE}\nthe last record of partition 0 is of 06:20, that of 1 of 06:25\nstart at {}", flights::utc::format(time_ms)))
                .ask("The broker finds no such record. What does its answer look like, and is it an offset?")
                .same_bytes(line(resolved), expected);
        }
    });
}

#[test]
fn a_time_before_all_records_is_no_sign_to_the_broker() {
    with_kafka(async |kafka| {
        let topic = topic_of_three(kafka).await;
        let group = kafka.group("g");
        let outsider = outsider(kafka, &topic, &group);
        for time_ms in [0, -1, -2, -3] {
            let resolved = resolve(&outsider, Start::Time(time_ms));
            rule("A time before all records begins at the oldest one.")
                .picture(format!(
                    "{PICTURE}\nstart at {}, that is {time_ms} ms",
                    flights::utc::format(time_ms)
                ))
                .ask("In Kafka's protocol a time of -1 is a sign. What for?")
                .same_bytes(line(resolved), "0@2 1@0 2@0");
        }
    });
}

#[test]
fn records_out_of_order_are_found_by_their_place_in_the_log() {
    with_kafka(async |kafka| {
        let topic = kafka.create_topic("flights", 1).await;
        let minute = |minute: i64| SIX_MS + minute * 60_000;
        put(kafka, &topic, 0, &[minute(0), minute(30), minute(10), minute(20), minute(40)]).await;
        let resolved =
            resolve(&outsider(kafka, &topic, &kafka.group("g")), Start::Time(minute(15)));
        rule("A time is a place in the log: the first record, by offset, at or after it.")
            .picture(
                "offset     0      1      2      3      4\n\
                 timestamp  06:00  06:30  06:10  06:20  06:40\nstart at 06:15",
            )
            .same_bytes(line(resolved), "0@1");
    });
}

#[test]
fn an_offset_is_taken_where_it_is_there() {
    with_kafka(async |kafka| {
        let topic = topic_of_three(kafka).await;
        let group = kafka.group("g");
        let outsider = outsider(kafka, &topic, &group);
        for (offset, expected) in [(2, "0@2 1@2 2@0"), (5, "0@5 1@5 2@0")] {
            let resolved = resolve(&outsider, Start::Offset(offset));
            rule("An offset from the oldest record to the end is there; a partition to which nothing was ever written begins at 0.")
                .picture(format!("{PICTURE}\nstart at offset {offset}"))
                .ask("Is the end, the offset of the next record to come, a place to begin?")
                .same_bytes(line(resolved), expected);
        }
    });
}

#[test]
fn an_offset_that_is_not_there_is_refused() {
    with_kafka(async |kafka| {
        let topic = topic_of_three(kafka).await;
        let group = kafka.group("g");
        let outsider = outsider(kafka, &topic, &group);
        for (offset, partition, ends) in [(1, 0, (2, 5)), (6, 0, (2, 5)), (i64::MAX, 0, (2, 5))] {
            let resolved = resolve(&outsider, Start::Offset(offset));
            rule("An offset that is not there is refused, with what there is.")
                .picture(format!("{PICTURE}\nstart at offset {offset}"))
                .ask("A client that is told nothing else goes to the end, silently. What is lost on the way?")
                .refuses(resolved, "OutOfRange, partition 0, first 2, end 5", |error| {
                    matches!(error, StartError::OutOfRange { partition: p, offset: o, first, end, .. }
                        if (*p, *o, (*first, *end)) == (partition, offset, ends))
                });
        }
        kafka.delete_before(&topic, 1, 6).await;
        rule("A partition that is empty now had its offsets all the same: those are gone, and refused.")
            .picture("partition 0 holds offsets 2 to 4; of partition 1 all six records were deleted\nstart at offset 3")
            .ask("Is an empty partition one to which nothing was ever written?")
            .refuses(
                resolve(&outsider, Start::Offset(3)),
                "OutOfRange, partition 1, first 6, end 6",
                |error| matches!(error, StartError::OutOfRange { partition: 1, first: 6, end: 6, .. }),
            );
    });
}

#[test]
fn a_group_begins_where_it_committed() {
    with_kafka(async |kafka| {
        let topic = topic_of_three(kafka).await;
        let group = kafka.group("g");
        let outsider = outsider(kafka, &topic, &group);
        let resolved = resolve(&outsider, Start::Committed);
        rule("A group that has not committed begins at the oldest record that is there.")
            .picture(PICTURE)
            .ask("What does the broker answer for a partition without a commit? Is it an offset?")
            .same_bytes(line(resolved), "0@2 1@0 2@0");
        commit(kafka, &topic, &group, &[(0, 5), (1, 4)]);
        let resolved = resolve(&outsider, Start::Committed);
        rule("A group begins where it committed; in a partition without a commit, at the oldest record.")
            .picture(format!("{PICTURE}\ncommitted: 5 in partition 0, 4 in partition 1"))
            .ask("The committed offset is that of the next record to read. Is there anything to add?")
            .same_bytes(line(resolved), "0@5 1@4 2@0");
    });
}

#[test]
fn a_committed_offset_that_is_no_longer_there_is_refused() {
    with_kafka(async |kafka| {
        let topic = topic_of_three(kafka).await;
        let group = kafka.group("g");
        commit(kafka, &topic, &group, &[(0, 1), (1, 4)]);
        let resolved = resolve(&outsider(kafka, &topic, &group), Start::Committed);
        rule("Where records were deleted before the group read them, it is told so.")
            .picture(format!("{PICTURE}\ncommitted: 1 in partition 0"))
            .ask("The group never read offset 1. Would it learn from anybody that it is gone?")
            .refuses(resolved, "OutOfRange, partition 0, offset 1, first 2, end 5", |error| {
                matches!(
                    error,
                    StartError::OutOfRange { partition: 0, offset: 1, first: 2, end: 5, .. }
                )
            });
    });
}

#[test]
fn a_committed_offset_behind_the_end_is_refused() {
    with_kafka(async |kafka| {
        let topic = topic_of_three(kafka).await;
        let group = kafka.group("g");
        commit(kafka, &topic, &group, &[(0, 5), (1, 40)]);
        let resolved = resolve(&outsider(kafka, &topic, &group), Start::Committed);
        rule("What was committed of another topic of this name is told, and not taken.")
            .picture(format!("{PICTURE}\ncommitted: 5 in partition 0, 40 in partition 1"))
            .ask("The group has read 39 records that this log never had. Which topic were they of?")
            .refuses(resolved, "OutOfRange, partition 1, offset 40, first 0, end 6", |error| {
                matches!(
                    error,
                    StartError::OutOfRange { partition: 1, offset: 40, first: 0, end: 6, .. }
                )
            });
    });
}

#[test]
fn given_auto_offset_reset_jumps_without_a_word() {
    with_kafka(async |kafka| {
        let topic = topic_of_three(kafka).await;
        let group = kafka.group("g");
        let gone = Offsets::from([(0, 1)]);
        for (setting, expected) in [
            ("earliest", "0@2"),
            (
                "error",
                "Message consumption error: AutoOffsetReset (Local: No offset to automatically reset to)",
            ),
        ] {
            let reader = consumer(kafka, &group, &[("auto.offset.reset", setting)]);
            reader.assign(&list(&topic, &gone)).expect("the offset can be assigned");
            let got = next(&reader);
            rule("Offset 1 is gone. `earliest` jumps to 2 and says nothing; `error` says so.")
                .picture(format!(
                    "{PICTURE}\nassigned: offset 1 of partition 0, auto.offset.reset={setting}"
                ))
                .holds(got.starts_with(expected), got);
        }
    });
}

#[test]
fn a_topic_that_is_not_there_is_named() {
    with_kafka(async |kafka| {
        let topic = kafka.topic("flights");
        let resolved = resolve(&outsider(kafka, &topic, &kafka.group("g")), Start::Earliest);
        rule("A topic that is not there is an error of its own, and asking does not make it.")
            .refuses(resolved, "NoTopic", |error| {
                matches!(error, StartError::Broker(BrokerError::NoTopic { topic: name }) if *name == topic)
            });
    });
}

#[test]
fn a_broker_that_is_not_there_is_an_error_in_time() {
    let began = Instant::now();
    let resolved = resolve(&nobody(), Start::Earliest);
    rule("A broker that is not there is an error that names it.").refuses(
        resolved,
        "NoAnswer from 127.0.0.1:1",
        |error| matches!(error, StartError::Broker(BrokerError::NoAnswer { brokers, .. }) if brokers == "127.0.0.1:1"),
    );
    rule("It comes in time.").holds(began.elapsed() < BOUND, "a long wait");
}
