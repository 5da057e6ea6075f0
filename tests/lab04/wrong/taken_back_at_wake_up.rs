//! title: The watermark goes back when a partition wakes up
//! file: idle.rs
//! caught by: step5_idle::an_idle_partition_that_wakes_up_never_takes_the_watermark_back
//!
//! The smallest of all partitions never goes back, as long as the set of partitions stays. Idleness
//! changes the set. Windows that have fired would open again.

impl CombinedWatermark {
    pub fn advance(&mut self) {
        use crate::partitions::combine;

        let each_ms = self.partitions.each_ms();
        let awake = each_ms.filter(|(partition, _)| !self.idle.contains(partition));
        self.current_ms = combine(awake.map(|(_, watermark_ms)| watermark_ms)).or(self.current_ms);
    }
}
