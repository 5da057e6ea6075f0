//! title: What was sent later is read later
//! file: layout.rs
//! caught by: step5_layout::the_offset_decides_and_not_the_place_in_the_list
//!
//! Two records on one partition are in order, so it is enough to look at the partition. A retry can
//! put the earlier one behind the later one; readers see the offsets, not the sending.

pub fn first_unordered_pair(deliveries: &[Delivery]) -> Option<(usize, usize)> {
    deliveries
        .windows(2)
        .position(|pair| pair[0].partition != pair[1].partition)
        .map(|index| (index, index + 1))
}
