//! title: A topic whose offsets fit is taken for the one that was read
//! file: recovery.rs
//! caught by: step3_recovery::a_topic_made_anew_is_found_out_with_fewer_with_equal_and_with_more_records
//!
//! Name and offsets fit, what else should a topic be told by? After a night of tests it was deleted and
//! filled again, and its first thousand records are never read.

pub fn check_records(
    checkpoint: &Checkpoint,
    found: &BTreeMap<i32, Fingerprint>,
) -> Result<(), RecoveryError> {
    for saved in &checkpoint.partitions {
        let Some(expected) = saved.last_record else { continue };
        let Some(found) = found.get(&saved.partition) else { continue };
        if found.offset != expected.offset {
            return Err(RecoveryError::OtherRecords {
                topic: checkpoint.topic.clone(),
                partition: saved.partition,
                found: format!("has {} where {} was read", found.text(), expected.text()),
            });
        }
    }
    Ok(())
}
