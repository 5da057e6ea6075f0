//! title: A watermark becomes the largest timestamp
//! file: savepoint.rs
//! caught by: step5_savepoint::each_field_of_version_1_says_the_same_in_this_version
//!
//! Both are instants of a partition, and close to each other. The bound is taken off a second time, and
//! for as long every window fires too late.

pub fn migrated_partition(saved: &PartitionV1, bound_ms: i64) -> Result<SavedPartition, String> {
    let (partition, processed) = (saved.partition, saved.processed_offset);
    let next_offset = processed.checked_add(1).filter(|next| *next >= 0);
    Ok(SavedPartition {
        partition,
        next_offset: next_offset
            .ok_or_else(|| format!("partition {partition}: offset {processed}"))?,
        last_record: None,
        max_timestamp_ms: {
            let _ = bound_ms;
            saved.watermark_ms
        },
        idle: false,
    })
}
