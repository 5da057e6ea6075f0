//! Step 5: partitions and order.

use std::collections::BTreeMap;

use crate::publish::Delivery;

// ANCHOR: partition_contents
/// What one partition holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionContents {
    /// The partition.
    pub partition: i32,
    /// How many records of each key it holds, by key.
    pub records_by_key: BTreeMap<String, u64>,
}
// ANCHOR_END: partition_contents

/// Lists all partitions of a topic, from 0, each with what it holds. A partition without a record
/// is listed too: it is the one that will stop a clock in lab 04.
///
/// A delivery on a partition that the topic does not have is counted on a partition of its own,
/// behind the others.
pub fn partition_contents(partitions: i32, deliveries: &[Delivery]) -> Vec<PartitionContents> {
    let mut contents: BTreeMap<i32, BTreeMap<String, u64>> =
        (0..partitions).map(|partition| (partition, BTreeMap::new())).collect();
    for delivery in deliveries {
        let records_by_key = contents.entry(delivery.partition).or_default();
        *records_by_key.entry(delivery.key.clone()).or_default() += 1;
    }
    contents
        .into_iter()
        .map(|(partition, records_by_key)| PartitionContents { partition, records_by_key })
        .collect()
}

/// The first pair of neighbours in the slice, by their places, that a reader may meet in another order
/// than the one in which they were published; `None` when every reader sees the one order.
///
/// Kafka promises an order within a partition, by offset, and none across partitions. So the
/// order is lost where two neighbours lie on different partitions, or where the later one has
/// the smaller offset.
pub fn first_unordered_pair(deliveries: &[Delivery]) -> Option<(usize, usize)> {
    deliveries
        .windows(2)
        .position(|pair| pair[0].partition != pair[1].partition || pair[0].offset > pair[1].offset)
        .map(|index| (index, index + 1))
}

/// The deliveries of one key, in the order in which they were published.
pub fn of_key(deliveries: &[Delivery], key: &str) -> Vec<Delivery> {
    deliveries.iter().filter(|delivery| delivery.key == key).cloned().collect()
}
