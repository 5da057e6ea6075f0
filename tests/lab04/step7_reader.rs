//! Step 7: a reader of a real topic, and the watermark that it sees.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use flights::Flight;
use lab01::event::encode;
use lab04::guard::ALLOWED_AHEAD;
use lab04::reader::{Reader, ReaderConfig, Seen};
use rdkafka::ClientConfig;
use rdkafka::producer::{FutureProducer, FutureRecord};
use testkit::{TestKafka, rule, with_kafka};
use timeline::Timeline;

use super::at_hand::{at, flight, minutes, shown};

/// So long may it take until what was written is read.
const LIMIT: Duration = Duration::from_secs(10);

/// A record that a test writes to a partition of its choice.
struct Written {
    partition: i32,
    arrived_ms: i64,
    payload: Option<Vec<u8>>,
}

fn written(partition: i32, flight: &Flight) -> Written {
    let payload = encode(flight).expect("the flight is possible");
    Written { partition, arrived_ms: flight.departed_ms(), payload: Some(payload) }
}

/// Writes records one after the other, so that their offsets are known.
async fn write(kafka: &TestKafka, topic: &str, records: &[Written]) {
    write_by(&kafka.client(), topic, records).await;
}

async fn write_by(client: &ClientConfig, topic: &str, records: &[Written]) {
    let producer: FutureProducer = client.create().expect("the settings are good");
    let mut sent = Vec::new();
    for record in records {
        let mut outgoing = FutureRecord::<(), _>::to(topic)
            .partition(record.partition)
            .timestamp(record.arrived_ms);
        outgoing.payload = record.payload.as_ref();
        sent.push(
            producer.send_result(outgoing).map_err(|(error, _)| error).expect("there is room"),
        );
    }
    for delivery in sent {
        delivery.await.expect("it is answered").expect("it is taken");
    }
}

fn config(kafka: &TestKafka, topic: &str, idle_after: Option<Duration>) -> ReaderConfig {
    ReaderConfig {
        kafka: kafka.client(),
        topic: topic.to_owned(),
        bound: minutes(15),
        idle_after,
        allowed_ahead: ALLOWED_AHEAD,
    }
}

/// Reads until `is_last` is seen, and gives everything up to it.
fn read_until(reader: &mut Reader, what: &str, is_last: impl Fn(&Seen) -> bool) -> Vec<Seen> {
    let deadline = Instant::now() + LIMIT;
    let mut all = Vec::new();
    loop {
        let seen = rule("A topic can be read.").succeeds(reader.read());
        all.extend(seen);
        if all.last().is_some_and(&is_last) {
            break;
        }
        rule(format!("A reader comes to {what}."))
            .picture(picture(&all))
            .ask("What must have been read before, and of which partitions?")
            .holds(Instant::now() < deadline, format!("nothing more within {LIMIT:?}"));
    }
    all
}

fn is_caught_up(seen: &Seen) -> bool {
    matches!(seen, Seen::CaughtUp)
}

fn open(config: &ReaderConfig) -> Reader {
    rule("A topic that is there can be opened.").succeeds(Reader::open(config))
}

fn picture(all: &[Seen]) -> String {
    let mut timeline = Timeline::with_watermarks(&["combined"]).heading("bound 15 min");
    for seen in all {
        match seen {
            Seen::Flight { partition, offset, flight, judged, watermark_ms } => {
                let label = format!("{partition}@{offset}");
                let row = timeline.record(label, flight.scheduled_ms).watermark(*watermark_ms);
                if judged.is_late() {
                    row.mark("late");
                }
            }
            Seen::Refused { partition, offset, .. } => {
                timeline.moment(format!("{partition}@{offset} refused"));
            }
            Seen::Unreadable { partition, offset, .. } => {
                timeline.moment(format!("{partition}@{offset} unreadable"));
            }
            Seen::Idle { partitions, watermark_ms } => {
                timeline.moment(format!("idle: {partitions:?}")).watermark(*watermark_ms);
            }
            Seen::CaughtUp => {
                timeline.moment("caught up");
            }
        }
    }
    timeline.to_string()
}

/// What was seen, in a form that is quick to compare: `1@0 05:55 on time`.
fn told(seen: &Seen) -> String {
    match seen {
        Seen::Flight { partition, offset, judged, watermark_ms, .. } => {
            let late = if judged.is_late() { "late" } else { "on time" };
            format!("{partition}@{offset} {late}, then {}", shown(*watermark_ms))
        }
        Seen::Refused { partition, offset, .. } => format!("{partition}@{offset} refused"),
        Seen::Unreadable { partition, offset, .. } => format!("{partition}@{offset} unreadable"),
        Seen::Idle { partitions, watermark_ms } => {
            format!("idle {partitions:?}, then {}", shown(*watermark_ms))
        }
        Seen::CaughtUp => "caught up".to_owned(),
    }
}

fn told_all(all: &[Seen]) -> String {
    all.iter().map(told).collect::<Vec<_>>().join(" | ")
}

#[test]
fn given_a_topic_that_is_not_there_is_one_sentence() {
    with_kafka(async |kafka| {
        let topic = kafka.topic("nowhere");
        let error = Reader::open(&config(kafka, &topic, None)).err().expect("it is refused");
        rule("A topic that is not there is named.")
            .same_bytes(error.to_string(), format!("topic `{topic}` does not exist"));
    });
}

#[test]
fn a_reader_sees_the_watermark_before_and_after_each_record() {
    with_kafka(async |kafka| {
        let topic = kafka.create_topic("flights", 1).await;
        let flights = [
            ("06:10", -2),
            ("06:40", 0),
            ("06:05", 40),
            ("06:25", 20),
            ("06:50", -4),
            ("06:20", 40),
        ];
        let records = flights.map(|(slot, delay_min)| written(0, &flight("JFK", slot, delay_min)));
        write(kafka, &topic, &records).await;
        let mut reader = open(&config(kafka, &topic, None));
        let all = read_until(&mut reader, "the end of the topic", is_caught_up);
        rule("From the topic: each record in order, late or on time, and the watermark after it.")
            .picture(picture(&all))
            .ask("Which of a record's two clocks is the event time, and where does it stand?")
            .same_bytes(
                told_all(&all),
                "0@0 on time, then 05:55 | 0@1 on time, then 06:25 | 0@2 late, then 06:25 | \
                 0@3 on time, then 06:25 | 0@4 on time, then 06:35 | 0@5 late, then 06:35 | caught up",
            );
    });
}

#[test]
fn an_empty_partition_holds_the_watermark_until_it_is_idle() {
    with_kafka(async |kafka| {
        let topic = kafka.create_topic("flights", 3).await;
        let records =
            [written(1, &flight("EWR", "06:10", 0)), written(0, &flight("LGA", "06:10", 0))];
        write(kafka, &topic, &records).await;

        let mut reader = open(&config(kafka, &topic, None));
        let all = read_until(&mut reader, "the end of the topic", is_caught_up);
        rule(
            "Partition 2 is empty. As long as it may still speak, there is no combined watermark.",
        )
        .picture(picture(&all))
        .ask("Of which partitions does the reader know, of those with records or of all?")
        .same_bytes(shown(reader.watermark().current_ms()), "none");

        let mut reader = open(&config(kafka, &topic, Some(Duration::from_millis(100))));
        let is_idle = |seen: &Seen| matches!(seen, Seen::Idle { watermark_ms: Some(_), .. });
        let all = read_until(&mut reader, "the moment at which partition 2 is idle", is_idle);
        rule("When the empty partition is idle, the others decide.")
            .picture(picture(&all))
            .ask("Who tells the watermark that time has passed, and when?")
            .same_bytes(shown(reader.watermark().current_ms()), "05:55");
    });
}

#[test]
fn time_passes_while_other_partitions_are_busy() {
    with_kafka(async |kafka| {
        let topic = kafka.create_topic("flights", 2).await;
        let mut reader = open(&config(kafka, &topic, Some(Duration::ZERO)));
        let is_idle = |seen: &Seen| matches!(seen, Seen::Idle { .. });
        let mut all = read_until(&mut reader, "the moment at which both are idle", is_idle);
        rule("That the reader has caught up is told before anybody is idle.")
            .picture(picture(&all))
            .ask("The contract has an order of three. What is looked at first?")
            .same_bytes(all.first().map_or("nothing".to_owned(), told), "caught up");
        // One batch, which the broker gives out as a whole: the reader need not wait in between.
        let slots = ["06:10", "06:11", "06:12"];
        write(kafka, &topic, &slots.map(|slot| written(0, &flight("LGA", slot, 0)))).await;
        let is_last = |seen: &Seen| matches!(seen, Seen::Flight { offset: 2, .. });
        all.extend(read_until(&mut reader, "the last of three records", is_last));
        let idle: BTreeSet<String> = all.iter().filter(|seen| is_idle(seen)).map(told).collect();
        rule("The clock is looked at before every record, not only when none comes.")
            .picture(format!("idle after 0 s: partition 0 is idle again after each record\n\n{}", picture(&all)))
            .ask("A busy partition never lets the reader wait. When would the silent one become idle?")
            .same_bytes(
                idle.into_iter().collect::<Vec<_>>().join(" | "),
                "idle [0, 1], then none | idle [0], then 05:55 | idle [0], then 05:56",
            );
    });
}

#[test]
fn what_is_refused_or_unreadable_is_told_and_moves_nothing() {
    with_kafka(async |kafka| {
        let topic = kafka.create_topic("flights", 1).await;
        let wild = Flight { scheduled_ms: 1_924_992_000_000, ..flight("JFK", "06:41", 0) };
        let records = [
            written(0, &flight("JFK", "06:40", 0)),
            Written { arrived_ms: at("06:41"), ..written(0, &wild) },
            Written {
                partition: 0,
                arrived_ms: at("06:42"),
                payload: Some(b"{\"carrier\":".to_vec()),
            },
            written(0, &flight("JFK", "06:30", 15)),
            Written { partition: 0, arrived_ms: at("06:46"), payload: Some(Vec::new()) },
            Written { partition: 0, arrived_ms: at("06:46"), payload: None },
        ];
        write(kafka, &topic, &records).await;
        let mut reader = open(&config(kafka, &topic, None));
        let all = read_until(&mut reader, "the end of the topic", is_caught_up);
        rule("A record that is refused or unreadable is told, moves no watermark, and reading goes on.")
            .picture(picture(&all))
            .ask("Three of these are no flights, and one is of 2031. Which of its two times is the guard given as the arrival, and is a record without a flight the end of the topic?")
            .same_bytes(
                told_all(&all),
                "0@0 on time, then 06:25 | 0@1 refused | 0@2 unreadable | 0@3 on time, then 06:25 | \
                 0@4 unreadable | 0@5 unreadable | caught up",
            );
        rule("What the guard refuses is counted.").same(reader.refused(), 1);

        let topic = kafka.create_topic("refused_last", 1).await;
        write(kafka, &topic, &records[..2]).await;
        let mut reader = open(&config(kafka, &topic, None));
        let all = read_until(&mut reader, "the end of the topic", is_caught_up);
        rule("A record that is refused may be the last one before the end.")
            .picture(picture(&all))
            .ask("Which of the records that were read count as read?")
            .same_bytes(told_all(&all), "0@0 on time, then 06:25 | 0@1 refused | caught up");
    });
}

#[test]
fn a_poll_that_brings_nothing_is_not_the_end() {
    with_kafka(async |kafka| {
        let topic = kafka.create_topic("flights", 1).await;
        write(kafka, &topic, &[written(0, &flight("JFK", "06:10", 0))]).await;
        let mut config = config(kafka, &topic, None);
        // The broker waits for more bytes than there are, and only then gives those it has.
        config.kafka.set("fetch.min.bytes", "1000000").set("fetch.wait.max.ms", "200");
        let mut reader = open(&config);
        let all = read_until(&mut reader, "the end of the topic", is_caught_up);
        rule("The end is where the offsets say, not where a poll brings nothing: the broker may be slow.")
            .picture(picture(&all))
            .ask("When has everything been read that lay on the topic when the reader began?")
            .same_bytes(told_all(&all), "0@0 on time, then 05:55 | caught up");
    });
}

#[test]
fn the_end_is_told_once_and_at_once_where_the_topic_is_empty() {
    with_kafka(async |kafka| {
        let topic = kafka.create_topic("flights", 3).await;
        let mut reader = open(&config(kafka, &topic, None));
        let first = rule("An empty topic can be read.").succeeds(reader.read());
        rule("A reader of an empty topic has caught up before it waits for anything.")
            .ask("What does the reader look at first: at the broker, or at what it has left to read?")
            .same_bytes(first.as_ref().map_or("nothing".to_owned(), told), "caught up");

        write(kafka, &topic, &[written(1, &flight("EWR", "06:10", 0))]).await;
        let is_flight = |seen: &Seen| matches!(seen, Seen::Flight { .. });
        let all = read_until(&mut reader, "the record that was written later", is_flight);
        rule("Caught up is told once. What comes later is read all the same.")
            .picture(picture(&all))
            .same_bytes(told_all(&all), "1@0 on time, then none");
    });
}

#[test]
fn a_partition_that_is_added_is_read_from_its_first_record_on_and_waited_for() {
    with_kafka(async |kafka| {
        let topic = kafka.create_topic("flights", 1).await;
        write(kafka, &topic, &[written(0, &flight("JFK", "06:50", 0))]).await;
        let mut reader = open(&config(kafka, &topic, None));
        let mut all = read_until(&mut reader, "the end of the topic", is_caught_up);

        kafka.grow_topic(&topic, 2).await;
        let added = ["06:20", "06:55"].map(|slot| written(1, &flight("EWR", slot, 0)));
        write(kafka, &topic, &added).await;
        let is_added = |seen: &Seen| matches!(seen, Seen::Flight { partition: 1, offset: 1, .. });
        all.extend(read_until(&mut reader, "the end of the added partition", is_added));
        write(kafka, &topic, &[written(0, &flight("JFK", "07:10", 0))]).await;
        let is_next = |seen: &Seen| matches!(seen, Seen::Flight { partition: 0, offset: 1, .. });
        all.extend(read_until(&mut reader, "the next record of the first partition", is_next));
        rule("An added partition is read from its first record on, and from then on waited for.")
            .picture(picture(&all))
            .ask("Of which partitions is the combined watermark made, and does it go back?")
            .same_bytes(
                told_all(&all),
                "0@0 on time, then 06:35 | caught up | 1@0 late, then 06:35 | \
                 1@1 on time, then 06:35 | 0@1 on time, then 06:40",
            );
    });
}

#[test]
fn records_deleted_under_the_reader_are_no_reason_to_jump() {
    with_kafka(async |kafka| {
        let topic = kafka.create_topic("flights", 1).await;
        // Each record in a batch of its own, and a client that holds as few as it can.
        let one_a_batch = kafka.client().set("batch.num.messages", "1").clone();
        let records: Vec<Written> =
            (0..60).map(|_| written(0, &flight("JFK", "06:10", 0))).collect();
        write_by(&one_a_batch, &topic, &records).await;
        let mut config = config(kafka, &topic, None);
        config.kafka.set("queued.min.messages", "1").set("fetch.message.max.bytes", "100");
        let mut reader = open(&config);
        let is_flight = |seen: &Seen| matches!(seen, Seen::Flight { .. });
        let mut all = read_until(&mut reader, "the first record", is_flight);
        kafka.delete_before(&topic, 0, 50).await;

        let deadline = Instant::now() + LIMIT;
        let error = loop {
            match reader.read() {
                Err(error) => break Some(error),
                Ok(_) if Instant::now() > deadline => break None,
                Ok(seen) => all.extend(seen),
            }
        };
        rule(
            "Records that were deleted before they were read are an error, and no jump in silence.",
        )
        .picture(picture(&all))
        .ask("A poll may bring an error. What becomes of it?")
        .holds(error.is_some(), "no error");
    });
}
