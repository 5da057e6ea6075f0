//! title: A partition without a record is not listed
//! file: layout.rs
//! caught by: step5_layout::a_partition_without_a_record_is_listed_too
//!
//! The list is made from the records, and a partition that has none is in none of them. It is there
//! all the same, and whoever waits for each partition to speak waits for this one.

pub fn partition_contents(partitions: i32, deliveries: &[Delivery]) -> Vec<PartitionContents> {
    let _ = partitions;
    let mut contents: BTreeMap<i32, BTreeMap<String, u64>> = BTreeMap::new();
    for delivery in deliveries {
        let records_by_key = contents.entry(delivery.partition).or_default();
        *records_by_key.entry(delivery.key.clone()).or_default() += 1;
    }
    contents
        .into_iter()
        .map(|(partition, records_by_key)| PartitionContents { partition, records_by_key })
        .collect()
}
