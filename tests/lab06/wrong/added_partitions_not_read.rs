//! title: Only the partitions of the checkpoint are read
//! file: recovery.rs
//! caught by: step3_recovery::partitions_that_were_added_are_read_from_their_first_record
//!
//! The checkpoint says where to go on, and what it does not name is not gone on with. Of the new
//! partitions nobody ever reads a record, and no lag shows it.

pub fn start_offsets(
    checkpoint: &Checkpoint,
    topic: &str,
    bounds: &BTreeMap<i32, Bounds>,
) -> Result<BTreeMap<i32, i64>, RecoveryError> {
    if checkpoint.topic != topic {
        let (topic, found) = (topic.to_owned(), checkpoint.topic.clone());
        return Err(RecoveryError::OtherTopic { topic, found });
    }
    let mut offsets: BTreeMap<i32, i64> = BTreeMap::new();
    for saved in &checkpoint.partitions {
        let (partition, next_offset) = (saved.partition, saved.next_offset);
        let other = |found: String| RecoveryError::OtherRecords {
            topic: topic.to_owned(),
            partition,
            found,
        };
        let Some(Bounds { first, end }) = bounds.get(&partition).copied() else {
            return Err(other("is missing".to_owned()));
        };
        if next_offset > end {
            let found = format!("ends at offset {end}, and was read to {next_offset}");
            return Err(other(found));
        }
        if next_offset < first {
            let topic = topic.to_owned();
            return Err(RecoveryError::Gone { topic, partition, next_offset, first });
        }
        offsets.insert(partition, next_offset);
    }
    Ok(offsets)
}
