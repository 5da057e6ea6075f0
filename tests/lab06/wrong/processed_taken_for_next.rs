//! title: The last processed offset becomes the next one
//! file: savepoint.rs
//! caught by: step5_savepoint::each_field_of_version_1_says_the_same_in_this_version
//!
//! An offset is an offset. One of them names what was done and the other what is to be done, and after
//! the upgrade one record in each partition is counted twice.

pub fn migrated_partition(saved: &PartitionV1, bound_ms: i64) -> Result<SavedPartition, String> {
    let (partition, processed) = (saved.partition, saved.processed_offset);
    let next_offset = Some(processed).filter(|next| *next >= 0);
    Ok(SavedPartition {
        partition,
        next_offset: next_offset
            .ok_or_else(|| format!("partition {partition}: offset {processed}"))?,
        last_record: None,
        max_timestamp_ms: saved.watermark_ms.map(|ms| ms.saturating_add(bound_ms)),
        idle: false,
    })
}
