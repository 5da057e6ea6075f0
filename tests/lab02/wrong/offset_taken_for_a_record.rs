//! title: An offset is taken for a record
//! file: group.rs
//! caught by: step5_group::a_record_that_was_read_twice_is_listed_with_its_readers
//!
//! Offsets look like numbers of records. Each partition counts from 0, so two partitions have an
//! offset 5 each, and nothing was read twice.

pub fn read_twice(events: &[GroupEvent]) -> Vec<ReadTwice> {
    let mut readers: BTreeMap<i64, (i32, Vec<String>)> = BTreeMap::new();
    for GroupEvent { member, what } in events {
        if let What::Read { partition, offset } = what {
            readers.entry(*offset).or_insert((*partition, Vec::new())).1.push(member.clone());
        }
    }
    readers
        .into_iter()
        .filter(|(_, (_, members))| members.len() > 1)
        .map(|(offset, (partition, members))| ReadTwice { partition, offset, members })
        .collect()
}
