//! title: Offsets are compared across partitions
//! file: layout.rs
//! caught by: step5_layout::order_does_not_hold_across_partitions
//!
//! An offset looks like the place in the topic. It is the place in one partition: offset 1 there
//! may have been written, and may be read, long before or after offset 2 here.

pub fn first_unordered_pair(deliveries: &[Delivery]) -> Option<(usize, usize)> {
    deliveries
        .windows(2)
        .position(|pair| pair[0].offset > pair[1].offset)
        .map(|index| (index, index + 1))
}
