//! title: A record is judged by the watermark of its own partition
//! file: idle.rs
//! caught by: step5_idle::an_idle_partition_that_wakes_up_never_takes_the_watermark_back
//!
//! The partition's own watermark is at hand, and for most records the answer is the same. But
//! windows fire by the combined watermark. A record behind it is late, however early it is in its
//! own partition.

impl CombinedWatermark {
    pub fn on_record(&mut self, partition: i32, timestamp_ms: i64, clock: Duration) -> Judged {
        use crate::lateness::judge;

        let own_ms = self.partitions.each_ms().find(|(id, _)| *id == partition);
        let judged = judge(timestamp_ms, own_ms.and_then(|(_, watermark_ms)| watermark_ms));
        self.counts.add(&judged);
        self.heard.insert(partition, clock);
        self.idle.remove(&partition);
        self.partitions.observe(partition, timestamp_ms);
        self.advance();
        judged
    }
}
