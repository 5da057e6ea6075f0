//! Step 3: many records in flight, but never more than so many.
//!
//! - What was taken is delivered or named: delivered + not delivered = taken.
//! - At most the limit is in flight; a full queue makes the sender wait.
//! - The records of a key stay in order.
//! - Behind a record that failed none is taken, so that what is kept of failures is bounded.

use std::num::NonZeroUsize;
use std::pin::pin;
use std::time::Duration;

use futures::FutureExt;
use lab02::in_flight::{Published, Publisher};
use lab02::record::Record;
use testkit::{rule, with_kafka};
use tokio::time::advance;

use super::at_hand::{
    BOUND, IN_ORDER, first_of_the_calm_week, nobody, producer, record, record_of, shown, stored,
};

fn limit(limit: usize) -> NonZeroUsize {
    NonZeroUsize::new(limit).expect("a limit is not 0")
}

async fn send_all(publisher: &mut Publisher, records: &[Record]) {
    for record in records {
        let sending = rule("A record is taken within a moment where the broker is there.")
            .within(BOUND, publisher.send(record.clone()))
            .await;
        rule("A record is taken while nothing has failed.").succeeds(sending);
    }
}

async fn close(publisher: Publisher) -> Published {
    rule("A publisher can be closed in time.").within(BOUND, publisher.close()).await
}

#[test]
fn all_are_delivered_and_a_key_stays_in_order() {
    with_kafka(async |kafka| {
        let topic = kafka.create_topic("flights", 3).await;
        let records: Vec<Record> = first_of_the_calm_week(600).iter().map(record_of).collect();
        let mut publisher =
            Publisher::new(producer(&kafka.client(), &[IN_ORDER]), &topic, limit(50));
        send_all(&mut publisher, &records).await;
        let published = close(publisher).await;
        rule("What was taken is delivered or named.")
            .same(published, Published { delivered: 600, not_delivered: vec![] });
        let stored = stored(&kafka.client(), &topic);
        for key in ["EWR", "JFK", "LGA"] {
            let of_key = |record: &&Record| record.key.as_deref() == Some(key.as_bytes());
            let given: Vec<&Record> = records.iter().filter(of_key).collect();
            let found: Vec<&Record> =
                stored.iter().map(|received| &received.record).filter(of_key).collect();
            rule("The records of a key lie on the topic in the order in which they were sent.")
                .picture(format!("{key}: {} records", given.len()))
                .ask("Which of two sends is handed to the client first?")
                .holds(found == given, "other records, or another order");
        }
    });
}

#[test]
fn closing_waits_for_every_report() {
    with_kafka(async |kafka| {
        let topic = kafka.create_topic("flights", 1).await;
        // The client keeps a record for 200 ms, in the hope of more for one request.
        let slow = producer(&kafka.client(), &[("linger.ms", "200")]);
        let mut publisher = Publisher::new(slow, &topic, limit(100));
        let records: Vec<Record> = (0..20).map(|_| record("EWR", b"x")).collect();
        send_all(&mut publisher, &records).await;
        rule("A record that was just sent is in flight: nobody has waited for its report.")
            .same(publisher.in_flight(), 20);
        let published = close(publisher).await;
        let lying = stored(&kafka.client(), &topic).len();
        rule("Closing waits until each record in flight has its report.")
            .picture("20 records were sent and are still in the client's queue")
            .ask("The program ends after this call. What happens to what is in the queue?")
            .same((published.delivered, published.not_delivered.len(), lying), (20, 0, 20));
    });
}

#[tokio::test]
async fn no_more_than_the_limit_is_in_flight() {
    // Nobody answers and nobody gives up: what is in flight stays there.
    let mut publisher = Publisher::new(producer(&nobody(), &[]), "flights", limit(5));
    for number in 1..=5 {
        let taken = publisher.send(record("EWR", b"x")).now_or_never();
        rule("Up to the limit a record is taken at once: nobody waits for its report.")
            .picture(format!("limit 5, no broker, record {number}"))
            .holds(matches!(taken, Some(Ok(()))), "a wait, or a refusal");
    }
    let sixth = publisher.send(record("EWR", b"x")).now_or_never();
    rule("While the limit is in flight, the sender waits.")
        .picture("limit 5, no broker, record 6")
        .ask("The broker is away for an hour, and records keep coming. Where are they?")
        .holds(sixth.is_none(), "an answer at once");
    rule("A wait that is broken off takes nothing out: what was in flight still is.")
        .picture("limit 5, no broker; the wait of record 6 was broken off")
        .ask("Which report did it wait for, and where is that report now?")
        .same(publisher.in_flight(), 5);
}

#[tokio::test]
async fn a_wait_that_is_broken_off_loses_count_of_nothing() {
    let producer = producer(&nobody(), &[("message.timeout.ms", "400")]);
    let mut publisher = Publisher::new(producer, "flights", limit(1));
    rule("The first record is taken.").succeeds(publisher.send(record("EWR", b"1")).await);
    // The second waits for the first, and whoever waits for it gives up, as `select!` does.
    let _ = publisher.send(record("EWR", b"2")).now_or_never();
    let published = close(publisher).await;
    let keys: Vec<String> = published
        .not_delivered
        .iter()
        .map(|failed| super::at_hand::payload(&failed.record))
        .collect();
    rule("A wait that is broken off loses count of no record in flight.")
        .picture(
            "record 1 is in flight; the wait for it is broken off, then the publisher is closed",
        )
        .ask("Where is a report between the list and the counter, while somebody awaits it?")
        .same((published.delivered, keys), (0, vec!["1".to_owned()]));
}

#[test]
fn a_full_queue_is_a_wait_and_no_loss() {
    with_kafka(async |kafka| {
        let topic = kafka.create_topic("flights", 1).await;
        let settings = [("queue.buffering.max.messages", "5"), IN_ORDER];
        let narrow = producer(&kafka.client(), &settings);
        let mut publisher = Publisher::new(narrow, &topic, limit(1_000));
        let records: Vec<Record> =
            (0..300).map(|number: u32| record("EWR", number.to_string().as_bytes())).collect();
        send_all(&mut publisher, &records).await;
        let published = close(publisher).await;
        let lying: Vec<Record> =
            stored(&kafka.client(), &topic).into_iter().map(|received| received.record).collect();
        rule("A full queue makes the sender wait. No record is lost by it, and none is out of order.")
            .picture("room for 5 records in the client's queue, 300 are sent")
            .ask("The client answers `QueueFull`. Who has the record then?")
            .holds(
                lying == records,
                if lying.len() == records.len() { "another order" } else { "another number of records" },
            );
        rule("What was taken is delivered or named.")
            .same((published.delivered, published.not_delivered.len()), (300, 0));
    });
}

#[tokio::test]
async fn what_fails_while_room_is_awaited_is_known_before_the_next_record_is_taken() {
    let settings = [("queue.buffering.max.messages", "1"), ("message.timeout.ms", "300")];
    let mut publisher = Publisher::new(producer(&nobody(), &settings), "flights", limit(10));
    rule("A record is taken while there is room.")
        .succeeds(publisher.send(record("EWR", b"1")).await);
    let second = rule("Room comes when the first record is given up.")
        .within(BOUND, publisher.send(record("EWR", b"2")))
        .await;
    rule("Behind a record that failed none is taken.")
        .picture("the client has room for 1 record, and no broker; record 2 waits for room\nuntil record 1 is given up after 300 ms")
        .ask("When did you last look whether one had failed, and what was learned since?")
        .refuses(second, "NotTaken, with record 2", |error| {
            error.record.payload.as_deref() == Some(b"2")
        });
}

#[tokio::test]
async fn a_full_queue_lets_others_run() {
    let settings = [("queue.buffering.max.messages", "1"), ("message.timeout.ms", "3000")];
    let shared = producer(&nobody(), &settings);
    let mut one = Publisher::new(shared.clone(), "flights", limit(10));
    let mut other = Publisher::new(shared, "flights", limit(10));
    rule("A record is taken while there is room.").succeeds(one.send(record("EWR", b"1")).await);
    let waits = other.send(record("LGA", b"2")).now_or_never();
    rule("Whoever waits for room in the queue lets others run meanwhile.")
        .picture("two publishers share a client with room for 1 record, which the first one has taken;\nthe second one has nothing in flight")
        .ask("Which `await` of your loop is reached here, and does it give the thread away?")
        .holds(waits.is_none(), "an answer, and until then nobody else could run");
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_room_has_no_limit_of_its_own() {
    // The client gives its record up by its own clock, after minutes: until then the queue is full.
    let shared = producer(&nobody(), &[("queue.buffering.max.messages", "1")]);
    let mut one = Publisher::new(shared.clone(), "flights", limit(10));
    let mut other = Publisher::new(shared, "flights", limit(10));
    rule("A record is taken while there is room.").succeeds(one.send(record("EWR", b"1")).await);
    let mut sending = pin!(other.send(record("LGA", b"2")));
    for _ in 0..180 {
        let answer = futures::poll!(&mut sending);
        rule("Whoever waits for room in the queue waits until there is some, however long that takes.")
            .picture("two publishers share a client with room for 1 record, which the first one has taken;\nthe second one has waited for up to three minutes, of a clock that the test sets")
            .ask("The records in the queue have a limit, `message.timeout.ms`. What has become of a record that you give up before theirs has passed?")
            .holds(answer.is_pending(), "an answer, and the queue is as full as it was");
        advance(Duration::from_secs(1)).await;
    }
}

/// What was not delivered, by the length of its payload in bytes.
fn lengths(published: &Published) -> Vec<usize> {
    let length = |payload: &Vec<u8>| payload.len();
    published.not_delivered.iter().map(|f| f.record.payload.as_ref().map_or(0, length)).collect()
}

#[test]
fn a_record_that_the_broker_refuses_is_named() {
    with_kafka(async |kafka| {
        let small = [("max.message.bytes", "1000"), ("retention.ms", "-1")];
        let topic = kafka.create_topic_with("small", 1, &small).await;
        let mut publisher = Publisher::new(producer(&kafka.client(), &[]), &topic, limit(1));
        for length in [10, 5_000] {
            let sent = publisher.send(record("EWR", &vec![b'x'; length])).await;
            rule("A record is taken while nothing has failed.").succeeds(sent);
        }
        let published = close(publisher).await;
        rule("A record that was not delivered is named, and every other one is counted.")
            .picture("records of 10 and 5,000 bytes, one after the other; the topic takes 1,000")
            .ask("Two reports came. What does each of them say, and who reads it?")
            .same((published.delivered, lengths(&published)), (1, vec![5_000]));
    });
}

#[tokio::test]
async fn a_record_that_was_not_delivered_is_given_back_as_it_was() {
    let producer = producer(&nobody(), &[("message.timeout.ms", "300")]);
    let flight = record_of(&first_of_the_calm_week(1)[0]);
    let bare = Record { timestamp_ms: Some(7), ..Record::default() };
    let mut publisher = Publisher::new(producer, "flights", limit(10));
    send_all(&mut publisher, &[flight.clone(), bare.clone()]).await;
    let published = close(publisher).await;
    let back: Vec<String> =
        published.not_delivered.iter().map(|failed| shown(&failed.record)).collect();
    rule("A record that was not delivered is given back as it was: it can be sent again.")
        .picture("no broker; a flight of 2013 is sent, and a record without key and payload")
        .ask("Sent again, on which day would this flight be? Who has the record, while it is in flight?")
        .same_bytes(back.join("; "), [flight, bare].map(|record| shown(&record)).join("; "));
}

/// No new code is needed for this one. It is here to show that a report is not about one record
/// alone: the broker takes or refuses what came to it together.
#[test]
fn a_record_that_is_too_large_takes_its_batch_along() {
    with_kafka(async |kafka| {
        let small = [("max.message.bytes", "1000"), ("retention.ms", "-1")];
        let topic = kafka.create_topic_with("small", 1, &small).await;
        let together = producer(&kafka.client(), &[("linger.ms", "200")]);
        let mut publisher = Publisher::new(together, &topic, limit(10));
        for length in [10, 5_000, 10] {
            let sent = publisher.send(record("EWR", &vec![b'x'; length])).await;
            rule("A record is taken while nothing has failed.").succeeds(sent);
        }
        let published = close(publisher).await;
        rule("What was taken is delivered or named, also where one record is the fault of all.")
            .picture(
                "records of 10, 5,000 and 10 bytes in one batch; the topic takes batches of 1,000",
            )
            .same((published.delivered, lengths(&published)), (0, vec![10, 5_000, 10]));
    });
}

#[test]
fn a_record_that_the_client_refuses_is_named() {
    with_kafka(async |kafka| {
        let topic = kafka.create_topic("flights", 1).await;
        let client = producer(&kafka.client(), &[("message.max.bytes", "1000")]);
        let mut publisher = Publisher::new(client, &topic, limit(10));
        for length in [10, 5_000] {
            let sent = publisher.send(record("EWR", &vec![b'x'; length])).await;
            rule("A record is taken while nothing has failed.").succeeds(sent);
        }
        let published = close(publisher).await;
        rule("A record that the client itself refuses counts as not delivered.")
            .picture("records of 10 and 5,000 bytes; the client takes 1,000")
            .ask("`send_result` has two ways to fail. Which of them ends in your list?")
            .same((published.delivered, lengths(&published)), (1, vec![5_000]));
    });
}

#[tokio::test]
async fn behind_a_failure_none_is_taken() {
    let producer = producer(&nobody(), &[("message.timeout.ms", "300")]);
    let mut publisher = Publisher::new(producer, "flights", limit(3));
    let mut refused = None;
    for number in 0..10 {
        let sent = record("EWR", &[number]);
        let sending =
            rule("No wait is without an end.").within(BOUND, publisher.send(sent.clone())).await;
        if let Err(error) = sending {
            refused = Some((*error.record == sent, number));
            break;
        }
    }
    rule("Once a record has failed, the next is not taken, and comes back.")
        .picture("no broker, 3 in flight, each record may take 300 ms")
        .ask("A source sends for days, and every record fails. How long does the list of failures grow?")
        .same(refused, Some((true, 3)));
    let published = close(publisher).await;
    rule("What was taken is delivered or named.")
        .same((published.delivered, published.not_delivered.len()), (0, 3));
}
