//! title: A record moves every watermark
//! file: partitions.rs
//! caught by: step4_partitions::a_record_moves_the_watermark_of_its_own_partition_alone
//!
//! One maximum for all partitions is what a reader has who does not look where a record comes from.
//! As soon as one partition is read ahead of the others, their records are late.

impl PartitionWatermarks {
    pub fn observe(&mut self, partition: i32, timestamp_ms: i64) {
        self.by_partition.entry(partition).or_insert_with(|| BoundedWatermark::new(self.bound));
        for watermark in self.by_partition.values_mut() {
            watermark.observe(timestamp_ms);
        }
    }
}
