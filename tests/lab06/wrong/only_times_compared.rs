//! title: Last records are compared by their times
//! file: recovery.rs
//! caught by: step3_recovery::another_record_at_the_same_place_is_another_topic
//!
//! Two records do not have the same millisecond. In a replay they have: the times are those of the
//! flights, and the flights left when they left.

pub fn check_records(
    checkpoint: &Checkpoint,
    found: &BTreeMap<i32, Fingerprint>,
) -> Result<(), RecoveryError> {
    for saved in &checkpoint.partitions {
        let Some(expected) = saved.last_record else { continue };
        let Some(found) = found.get(&saved.partition) else { continue };
        if (found.offset, found.timestamp_ms) != (expected.offset, expected.timestamp_ms) {
            return Err(RecoveryError::OtherRecords {
                topic: checkpoint.topic.clone(),
                partition: saved.partition,
                found: format!("has {} where {} was read", found.text(), expected.text()),
            });
        }
    }
    Ok(())
}
