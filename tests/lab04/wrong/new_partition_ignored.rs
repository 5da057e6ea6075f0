//! title: A partition that was added later is ignored
//! file: partitions.rs
//! caught by: step4_partitions::a_partition_that_is_added_later_is_one_of_them_from_now_on
//!
//! "It can only be one of those that I was given." A topic can get more partitions while its
//! readers run, and then a part of the records is behind a watermark that never heard of them.

impl PartitionWatermarks {
    pub fn observe(&mut self, partition: i32, timestamp_ms: i64) {
        if let Some(watermark) = self.by_partition.get_mut(&partition) {
            watermark.observe(timestamp_ms);
        }
    }
}
