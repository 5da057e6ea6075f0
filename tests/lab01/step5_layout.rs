//! Step 5: partitions and order.

use lab01::layout::{PartitionContents, first_unordered_pair, partition_contents};
use lab01::publish::Delivery;
use testkit::rule;

/// The delivery of a record with this key at `partition@offset`.
fn at(key: &str, partition: i32, offset: i64) -> Delivery {
    Delivery { key: key.to_owned(), partition, offset }
}

/// Contents as a line: `0: LGA 1; 1: EWR 2, JFK 1; 2: none`.
fn line(contents: &[PartitionContents]) -> String {
    let of_partition = |contents: &PartitionContents| {
        let counts: Vec<String> =
            contents.records_by_key.iter().map(|(key, count)| format!("{key} {count}")).collect();
        let counts = if counts.is_empty() { "none".to_owned() } else { counts.join(", ") };
        format!("{}: {counts}", contents.partition)
    };
    contents.iter().map(of_partition).collect::<Vec<String>>().join("; ")
}

/// Deliveries as a list: the place in the list, the key, the partition and the offset.
fn drawn(deliveries: &[Delivery]) -> String {
    let line = |(index, d): (usize, &Delivery)| {
        format!("{index}  {}  partition {}, offset {}", d.key, d.partition, d.offset)
    };
    deliveries.iter().enumerate().map(line).collect::<Vec<String>>().join("\n")
}

#[test]
fn a_partition_without_a_record_is_listed_too() {
    let deliveries = [at("EWR", 1, 0), at("JFK", 1, 1), at("EWR", 1, 2), at("LGA", 0, 0)];
    rule("Every partition of the topic is listed, from 0, each with its records by key.")
        .picture(format!("a topic of 3 partitions\n{}", drawn(&deliveries)))
        .ask("How many partitions has this topic? Where can you see that, and where not?")
        .same_bytes(
            line(&partition_contents(3, &deliveries)),
            "0: LGA 1; 1: EWR 2, JFK 1; 2: none",
        );
    rule("A topic without a record has its partitions all the same.")
        .same_bytes(line(&partition_contents(2, &[])), "0: none; 1: none");
}

#[test]
fn a_delivery_on_a_partition_that_nobody_knows_is_counted_behind_the_others() {
    let deliveries = [at("EWR", 7, 0), at("LGA", 0, 0)];
    rule("A record counts, also where the topic is said to have fewer partitions.")
        .picture(format!("a topic of 1 partition, it is said\n{}", drawn(&deliveries)))
        .ask("Somebody added partitions since you asked. Is the record gone, or the question old?")
        .same_bytes(line(&partition_contents(1, &deliveries)), "0: LGA 1; 7: EWR 1");
}

#[test]
fn order_holds_within_a_partition() {
    let ordered: [&[Delivery]; 3] = [
        &[],
        &[at("EWR", 1, 0)],
        // Other records may lie between them: offsets rise, they need not be neighbours.
        &[at("EWR", 1, 3), at("JFK", 1, 4), at("EWR", 1, 9)],
    ];
    for deliveries in ordered {
        rule("Within a partition every reader sees one order, that of the offsets, for all keys.")
            .picture(drawn(deliveries))
            .ask("Is it the key that Kafka keeps in order, or the partition?")
            .same(first_unordered_pair(deliveries), None);
    }
}

#[test]
fn order_does_not_hold_across_partitions() {
    let deliveries = [at("EWR", 1, 0), at("EWR", 1, 1), at("LGA", 0, 2), at("EWR", 1, 2)];
    rule("Across partitions Kafka promises no order, whatever the offsets are.")
        .picture(drawn(&deliveries))
        .ask("Two partitions are two logs. What does an offset in one say about the other? The first such pair of neighbours is asked for.")
        .same(first_unordered_pair(&deliveries), Some((1, 2)));
}

#[test]
fn the_offset_decides_and_not_the_place_in_the_list() {
    let deliveries = [at("EWR", 1, 5), at("EWR", 1, 6), at("EWR", 1, 4)];
    rule("The record with the smaller offset is read first, also where it was sent later.")
        .picture(drawn(&deliveries))
        .ask("Which of two records on one partition does a reader meet first, and what says so?")
        .same(first_unordered_pair(&deliveries), Some((1, 2)));
}
