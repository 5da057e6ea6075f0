//! title: An offset behind the end is taken for the end
//! file: recovery.rs
//! caught by: step3_recovery::a_topic_that_does_not_hold_what_was_read_is_refused
//!
//! The topic ends before the offset, so there is nothing new: wait at its end. It ends there because it
//! is another topic, and all of its records are new.

pub fn start_offsets(
    checkpoint: &Checkpoint,
    topic: &str,
    bounds: &BTreeMap<i32, Bounds>,
) -> Result<BTreeMap<i32, i64>, RecoveryError> {
    if checkpoint.topic != topic {
        let (topic, found) = (topic.to_owned(), checkpoint.topic.clone());
        return Err(RecoveryError::OtherTopic { topic, found });
    }
    let mut offsets: BTreeMap<i32, i64> =
        bounds.iter().map(|(partition, bounds)| (*partition, bounds.first)).collect();
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
        let next_offset = next_offset.min(end);
        if next_offset < first {
            let topic = topic.to_owned();
            return Err(RecoveryError::Gone { topic, partition, next_offset, first });
        }
        offsets.insert(partition, next_offset);
    }
    Ok(offsets)
}
