//! title: Where records are gone, the first that is there is taken
//! file: recovery.rs
//! caught by: step3_recovery::records_that_are_gone_unread_are_named
//!
//! They are gone, and nobody can read them any more; so one goes on with what is there. That is what
//! `auto.offset.reset=earliest` does too, and why nobody notices.

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
        if next_offset > end {
            let found = format!("ends at offset {end}, and was read to {next_offset}");
            return Err(other(found));
        }
        let next_offset = next_offset.max(first);
        offsets.insert(partition, next_offset);
    }
    Ok(offsets)
}
