//! title: Only the records of one key are in order
//! file: layout.rs
//! caught by: step5_layout::order_holds_within_a_partition
//!
//! "Kafka keeps order within a key" is how it is often said, and it is true. But the reason is the
//! partition: two keys that share one are in order with each other as well.

pub fn first_unordered_pair(deliveries: &[Delivery]) -> Option<(usize, usize)> {
    deliveries
        .windows(2)
        .position(|pair| pair[0].key != pair[1].key || pair[0].offset > pair[1].offset)
        .map(|index| (index, index + 1))
}
